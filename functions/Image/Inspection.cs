using System.Globalization;
using Cloud.Platform;
using Cloud.Platform.Hosting;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>Every image is looked at before it can be used, by a process that can do nothing else. It gets the head of the data, never the data.</summary>
public static class Inspection
{
    public const string Verb = "inspect-image";

    /// <returns>Size of the disk in bytes where it is known, else null.</returns>
    /// <exception cref="Fault">400: it isn't what it says.</exception>
    public static async ValueTask<long?> Of(Services s, Stream bytes, string format, CancellationToken ct)
    {
        var head = new byte[ImageFormat.MaxHead];
        var length = await bytes.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, ct);
        string answer;
        try { answer = await s.Confined.Run(Verb, [format, bytes.Length.ToString(CultureInfo.InvariantCulture)], head.AsMemory(0, length), ct); }
        catch (ConfinedException e) { throw new Fault(400, "The image was refused: its format can't be made out.", e.Message); }
        return answer.Length == 0 ? null : long.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : throw Fault.BadRequest($"The image was refused: {answer}.");
    }

    /// <summary>The process's side.</summary>
    /// <returns>A number, nothing, or what is wrong.</returns>
    public static string Answer(string format, long length, ReadOnlySpan<byte> head)
    {
        try { return ImageFormat.Inspect(head, length, format)?.ToString(CultureInfo.InvariantCulture) ?? ""; }
        catch (InvalidDataException e) { return e.Message; }
    }
}
