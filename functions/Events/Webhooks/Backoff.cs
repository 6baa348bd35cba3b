using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Cloud.Events.Webhooks;

/// <summary>How long what failed rests, and when it is given up.</summary>
public static class Backoff
{
    /// <summary>So long after the first failure the last attempt has been made.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromHours(24);

    private static readonly TimeSpan[] Steps = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15)];

    /// <summary>Longer each time, up to a quarter of an hour, and a fifth more or less: many that failed at once don't come back at once. The same for the same, so that a repeat changes nothing.</summary>
    /// <param name="attempts">How many failed so far, from 1.</param>
    public static TimeSpan After(string who, int attempts)
    {
        var chance = BinaryPrimitives.ReadUInt16BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{who}|{attempts}")));
        return Steps[Math.Min(attempts, Steps.Length) - 1] * (0.8 + (0.4 * chance / ushort.MaxValue));
    }
}
