#!/bin/bash
# Puts Bicep's compiler, which knows the types of Azure's resources, into .cache and prints its folder. Nothing is printed where it can't be had.
set -euo pipefail
. "$(dirname "$0")/common.sh"
version=0.49.2
name=azure.bicep.commandline.linux-x64
home=$root/.cache/bicep-$version
tools=$home/$name/$version/tools
if [ ! -x "$tools/bicep" ]; then
  say "fetching bicep $version by dotnet"
  mkdir -p "$home"
  # A project outside the repository's rules that only asks for the package.
  echo '<Project />' | tee "$home/Directory.Build.props" "$home/Directory.Packages.props" > /dev/null
  echo "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup><ItemGroup><PackageDownload Include=\"$name\" Version=\"[$version]\" /></ItemGroup></Project>" > "$home/fetch.csproj"
  dotnet restore "$home/fetch.csproj" --packages "$home" -v q --nologo > /dev/null || exit 0
  chmod +x "$tools/bicep" || exit 0
fi
echo "$tools"
