using System.Runtime.CompilerServices;

namespace Cloud.Tests.Kit;

/// <summary>Files of the repository, for tests about the source itself.</summary>
public static class Repository
{
    public static string Root { get; } = System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Here())!, "..", ".."));

    public static string Path(string relative) => System.IO.Path.Combine(Root, relative);

    private static string Here([CallerFilePath] string path = "") => path;
}
