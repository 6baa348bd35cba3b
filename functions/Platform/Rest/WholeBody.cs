namespace Cloud.Platform.Rest;

/// <summary>Bodies of routes that stream, where they are small and say what is to be done, read as a whole; data never is.</summary>
public static class WholeBody
{
    /// <summary>Null when there are more than <paramref name="most"/> bytes.</summary>
    /// <param name="announced">How many there will be, when that is known.</param>
    public static async ValueTask<ArraySegment<byte>?> Read(Stream body, int most, CancellationToken ct, long? announced = null)
    {
        // One more than there may be, so that reading it shows the end.
        var bytes = new byte[Math.Min(announced ?? most, most) + 1];
        var n = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
        return n <= most ? new(bytes, 0, n) : null;
    }
}
