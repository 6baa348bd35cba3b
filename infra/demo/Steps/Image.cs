using System.Security.Cryptography;
using Cloud.Demo.Tools;

namespace Cloud.Demo.Steps;

/// <summary>A tiny Linux made of Debian's packages, stored by Glance byte for byte.</summary>
internal static class Image
{
    internal static async Task Run(Stage s)
    {
        var folder = Path.Combine(s.Root, ".cache/guest");
        s.Say("infra/guest/build.sh: at once when the image is there, else about half a minute");
        var built = (await Tool.Run("bash", [Path.Combine(s.Root, "infra/guest/build.sh"), folder], TimeSpan.FromMinutes(15), s.Stop)).Trim();
        s.Expect(File.Exists(built), "the guest image is built", $"{built}, {new FileInfo(built).Length / 1e6:0.0} MB");

        s.Made.Image = await s.Admin.Make("image", "create", "tiny", "--file", built, "--disk-format", "qcow2", "--container-format", "bare", "--public");
        await s.Admin.Becomes("active", TimeSpan.FromMinutes(1), "status", "image", "show", "tiny");
        await using var file = File.OpenRead(built);
        var (ours, theirs) = (Convert.ToHexStringLower(await SHA512.HashDataAsync(file, s.Stop)), (await s.Admin.Json("image", "show", "tiny")).GetProperty("properties").GetProperty("os_hash_value").GetString());
        s.Expect(ours == theirs, "Glance has the bytes that were sent", $"SHA-512 {theirs?[..16]}...", $"SHA-512 {theirs} instead of {ours}");
    }
}
