using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloud.Tests.Fuzz;

/// <summary>Makes bad ones of good ones: JSON by its parts, anything else by its bytes. The same seed makes the same.</summary>
/// <param name="words">Names and ids that mean something to what is attacked.</param>
public sealed class Mutator(Random random, IReadOnlyList<string> words)
{
    // Stands for what no JsonNode can hold.
    private const string Lone = "~lone~", Twice = "~twice~", Deep = "~deep~";

    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "0.5", "-0", "1e-7", "1e308", "2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890",
        "\"\"", "\" \"", "\"0\"", "\"-1\"", "\"x\"", "\"None\"", "\"../../etc/passwd\"", "\"%s%n%00\"", "\"\\u0000\"", "\"\\u202e\\ufeff\"", "\"a\\nb\\rc\"", "\"<b>&amp;'\\\"\"", "\"\ud83d\ude00\"",
        "\"10.0.0.0/8\"", "\"10.0.0.0/33\"", "\"0.0.0.0/0\"", "\"256.1.1.1\"", "\"1.2.3\"", "\"::/0\"", "\"fe80::1%eth0\"", "\"::ffff:1.2.3.4\"", "\"2001:db8::/129\"", "\"00:00:00:00:00:00\"", "\"ff:ff:ff:ff:ff:ff\"",
        "\"2030-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.9999999Z\"", "\"0001-01-01T00:00:00\"", "\"2030-02-30\"", "\"1e400\"", "\"NaN\"", "\"P1D\"", "\"AAAA\"", "\"====\"", "\"http://[::1\"", "\"http://169.254.169.254/\"", "\"file:///etc/passwd\"",
        "[]", "{}", "[[]]", "[null]", "[{}]", "{\"\":null}", "[1,\"x\",null,{}]", $"\"{Lone}\"", $"\"{Twice}\"", $"\"{Deep}\"",
    ];

    public int Below(int below) => random.Next(below);
    public bool Often(int outOf) => random.Next(outOf) == 0;
    public T Any<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];

    /// <summary>A short text that somebody may have reason to fear.</summary>
    public string Text() => random.Next(6) switch
    {
        0 => Any(words),
        1 => new string((char)('!' + random.Next(90)), 1 + random.Next(300)),
        2 => Any(words) + Any([",", ";", "=", ":", "/", "|", "%", "&", "in:", "-", "*", "\t"]) + Any(words),
        3 => random.NextInt64(long.MinValue, long.MaxValue).ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => Any(Values) is ['"', .. var inside, '"'] ? inside.Replace(Lone, "x", StringComparison.Ordinal).Replace(Twice, "y", StringComparison.Ordinal).Replace(Deep, "z", StringComparison.Ordinal) : Any(Values),
    };

    /// <summary>A body that was valid, or that of another thing, with one to four parts changed; now and then it is no JSON any more.</summary>
    public byte[] Json(string seed)
    {
        JsonNode? root;
        try { root = JsonNode.Parse(seed); }
        catch (JsonException) { return Bytes(Encoding.UTF8.GetBytes(seed)); }
        for (var n = 1 + random.Next(4); n > 0; n--) root = Change(root);
        var text = (root?.ToJsonString() ?? "null").Replace($"\"{Lone}\"", "\"\\ud800\"", StringComparison.Ordinal).Replace($"\"{Twice}\"", "{\"a\":1,\"a\":2}", StringComparison.Ordinal)
            .Replace($"\"{Deep}\"", new string('[', 40) + new string(']', 40), StringComparison.Ordinal);
        var body = Encoding.UTF8.GetBytes(text);
        return Often(12) ? Bytes(body) : body;
    }

    private JsonNode? Change(JsonNode? root)
    {
        var all = new List<JsonNode>();
        Gather(root, all);
        if (all.Count == 0 || Often(20)) return Value();
        switch (Any(all))
        {
            case JsonObject o when o.Count > 0 && !Often(4):
                var name = Any([.. o.Select(p => p.Key)]);
                switch (random.Next(6))
                {
                    case 0: o.Remove(name); break;
                    case 1: var moved = o[name]?.DeepClone(); o.Remove(name); o[Any(words)] = moved; break;
                    case 2: o[Any(words)] = Value(); break;
                    case 3: o[name] = Any(all).DeepClone(); break;
                    default: o[name] = Value(); break;
                }
                break;
            case JsonObject o: o[Any(words)] = Value(); break;
            case JsonArray a when a.Count > 0 && !Often(3):
                var at = random.Next(a.Count);
                if (Often(3)) a.RemoveAt(at); else if (Often(2)) a.Insert(at, a[at]?.DeepClone()); else a[at] = Value();
                break;
            case JsonArray a:
                var copies = Often(10) ? 500 : 1;
                for (var i = 0; i < copies; i++) a.Add(Value());
                break;
        }
        return root;
    }

    private JsonNode? Value() => Often(4) ? JsonValue.Create(Any(words)) : Often(10) ? JsonValue.Create(new string('a', random.Next(6000))) : JsonNode.Parse(Any(Values));

    private static void Gather(JsonNode? node, List<JsonNode> all)
    {
        if (node is JsonObject or JsonArray) all.Add(node);
        if (node is JsonObject o) foreach (var (_, child) in o) Gather(child, all);
        if (node is JsonArray a) foreach (var child in a) Gather(child, all);
    }

    /// <summary>Bits turned, pieces gone, doubled or moved, numbers at their limits.</summary>
    public byte[] Bytes(byte[] seed)
    {
        var bytes = seed.ToList();
        for (var n = 1 + random.Next(6); n > 0; n--)
        {
            var at = random.Next(bytes.Count + 1);
            var length = random.Next(Math.Min(bytes.Count - at, 64) + 1);
            switch (random.Next(7))
            {
                case 0 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1 when at < bytes.Count: bytes[at] = Any<byte>([0, 1, 0x7f, 0x80, 0xff, (byte)'"', (byte)'\n', (byte)';']); break;
                case 2: bytes.RemoveRange(at, length); break;
                case 3: bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length)); break;
                case 4: bytes.InsertRange(at, Encoding.UTF8.GetBytes(Text())); break;
                case 5 when at + 8 <= bytes.Count:
                    var number = BitConverter.GetBytes(Any([0L, 1, -1, int.MaxValue, int.MinValue, long.MaxValue, long.MinValue, 0x10000, 0x7fffffff00000000]));
                    if (Often(2)) Array.Reverse(number);
                    for (var i = 0; i < Any([2, 4, 8]); i++) bytes[at + i] = number[i];
                    break;
                case 6 when Often(4): bytes.RemoveRange(at, bytes.Count - at); break;
                default: bytes.Add((byte)random.Next(256)); break;
            }
        }
        return [.. bytes];
    }
}
