using Cloud.Demo.Tools;

namespace Cloud.Demo.Steps;

/// <summary>How fast guests boot; then everything is deleted by its owner, and we look for what is left: in the cloud while it runs, on the machine after it.</summary>
internal static class Clean
{
    internal static async Task Run(Stage s)
    {
        await Boot.Compare(s);
        await Delete(s);
        await s.Until("nothing of the tenant is left on the host", TimeSpan.FromMinutes(1), async () =>
        {
            var left = (await Kernel.Everything(s.Data, s.Cloud.Owner)).Where(IsTenants).ToList();
            left.AddRange(Kernel.Files(from folder in (string[])["disks", "consoles", "config-drives", "images", "networks/ns"] select Path.Combine(s.Data, "host", folder)));
            left.AddRange(Kernel.Files(Path.Combine(s.Data, "blobs")));
            return (left.Count == 0, left.Count == 0 ? "no qemu, tap, bridge, namespace, dnsmasq or file" : string.Join("; ", left.Take(10)));
        });
        await s.Until("no row is left but history, no message and no dead letter", TimeSpan.FromMinutes(1), () =>
        {
            var left = Rows.Left(s.Data, s.Made.RowsBefore).Concat(Rows.Messages(s.Data)).ToList();
            return Task.FromResult((left.Count == 0, left.Count == 0 ? "none" : $"{left.Count}: {string.Join("; ", left.Take(10))}"));
        });
    }

    /// <summary>The cloud itself goes.</summary>
    internal static async Task Down(Stage s)
    {
        await s.Internet.DisposeAsync();
        await s.Cloud.Down();
        var after = await Kernel.Everything(s.Data, s.Cloud.Owner);
        s.Expect(after.Count == 0, "the machine is as before: no process, interface, namespace or rule set of this cloud", after.Count == 0 ? "none" : string.Join("; ", after));
        s.Measured.Add(("calls of the openstack command", $"{OpenStack.Calls}"));
    }

    private static async Task Delete(Stage s)
    {
        await s.User.Run("server", "delete", "--wait", "one", "two");
        await s.User.Run("floating", "ip", "delete", s.Made.FloatingIp);
        await s.User.Becomes("available", TimeSpan.FromMinutes(1), "status", "volume", "show", "notes");
        await s.User.Run("volume", "delete", "notes");
        await s.User.Run("router", "remove", "subnet", "edge", "inside");
        await s.User.Run("router", "delete", "edge");
        await s.User.Run("network", "delete", "inside");
        await s.User.Run("security", "group", "delete", "web");
        await s.User.Run("keypair", "delete", "alice");
        await s.Admin.Run("user", "delete", "alice");
        await s.Admin.Run("project", "delete", "acme");
        await s.Admin.Run("network", "delete", "internet");
        await s.Admin.Run("image", "delete", "tiny");
    }

    /// <summary>The cloud's own processes and its bridge to the internet still stand.</summary>
    private static bool IsTenants(string what) =>
        what.StartsWith("interface cst", StringComparison.Ordinal) || what.StartsWith("interface csb", StringComparison.Ordinal) || what.StartsWith("interface csv", StringComparison.Ordinal)
        || what.StartsWith("mount ", StringComparison.Ordinal) || what.Contains("qemu-system", StringComparison.Ordinal) || what.Contains("dnsmasq", StringComparison.Ordinal);
}
