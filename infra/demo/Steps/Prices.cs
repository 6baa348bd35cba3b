namespace Cloud.Demo.Steps;

/// <summary>The operator says what things cost, before anybody uses any.</summary>
internal static class Prices
{
    private static readonly object[] All =
    [
        new { meter = "server.m1.tiny", unit = "second", price = "0.00002" }, new { meter = "server.*", unit = "second", price = "0.00004" }, new { meter = "server-running.*", unit = "second", price = "0.00008" },
        new { meter = "volume.gib", unit = "GiB-hour", price = "0.001" }, new { meter = "snapshot.gib", unit = "GiB-hour", price = "0.0005" }, new { meter = "image.bytes", unit = "GiB-hour", price = "0.0002" }, new { meter = "object.bytes", unit = "GiB-hour", price = "0.0002" },
        new { meter = "router", unit = "hour", price = "0.01" }, new { meter = "floatingip", unit = "hour", price = "0.005" }, new { meter = "floatingip-bound", unit = "hour", price = "0" }, new { meter = "floatingip-idle", unit = "hour", price = "0.005" },
        new { meter = "floatingip-traffic.*", unit = "GB", price = "0.1" },
    ];

    internal static async Task Run(Stage s)
    {
        var token = await s.Admin.Run("token", "issue", "-f", "value", "-c", "id");
        await s.Cloud.Post(token, "/billing/v1/prices", new { currency = "EUR", decimals = 4, prices = All }, s.Stop);
        s.Say($"a price book with {All.Length} prices holds from now on");
    }
}
