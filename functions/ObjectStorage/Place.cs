using System.Text;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>What a path names: /v1/ACCOUNT, /v1/ACCOUNT/CONTAINER or /v1/ACCOUNT/CONTAINER/OBJECT. Names of objects may hold anything, slashes at either end as well.</summary>
public sealed record Place(string Account, string Container = "", string Object = "")
{
    public const string Reseller = "AUTH_";
    public const int MaxContainer = 256, MaxObject = 1024;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The project that the account belongs to; null for what is no account of this cloud.</summary>
    public string? Project => Account.StartsWith(Reseller, StringComparison.Ordinal) && Account.Length is > 5 and <= 69 && Account.AsSpan(5).IndexOfAnyExcept(Allowed) < 0 ? Account[5..] : null;
    private static readonly System.Buffers.SearchValues<char> Allowed = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    /// <summary>The path as it is signed: names decoded.</summary>
    public override string ToString() => $"/v1/{Account}" + (Container.Length > 0 ? "/" + Container : "") + (Object.Length > 0 ? "/" + Object : "");

    /// <summary>Percent-encoded, but for slashes.</summary>
    public static string Escape(string name) => Uri.EscapeDataString(name).Replace("%2F", "/", StringComparison.Ordinal);

    public static Place Of(Call c)
    {
        var parts = c.Path.Split('/', 5);
        return new(Decode(parts.ElementAtOrDefault(2) ?? ""), Decode(parts.ElementAtOrDefault(3) ?? ""), Decode(parts.ElementAtOrDefault(4) ?? ""));
    }

    /// <summary>CONTAINER/OBJECT, percent-encoded, as headers name another object.</summary>
    /// <exception cref="Fault">412.</exception>
    public static Place Of(string account, string text, string header)
    {
        var name = Decode(text).TrimStart('/');
        return name.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash && slash < name.Length - 1
            ? new(account, name[..slash], name[(slash + 1)..]) : throw new Fault(412, $"{header} header must be of the form <container name>/<object name>");
    }

    /// <exception cref="Fault">400.</exception>
    public void CheckNames()
    {
        if (Encoding.UTF8.GetByteCount(Container) > MaxContainer) throw Fault.BadRequest($"Container name length of {Encoding.UTF8.GetByteCount(Container)} longer than {MaxContainer}");
        if (Encoding.UTF8.GetByteCount(Object) > MaxObject) throw Fault.BadRequest($"Object name length of {Encoding.UTF8.GetByteCount(Object)} longer than {MaxObject}");
    }

    /// <exception cref="Fault">412 for what is no text.</exception>
    public static string Decode(string encoded)
    {
        try
        {
            var text = encoded.Contains('%', StringComparison.Ordinal) ? Strict.GetString(Bytes(encoded)) : encoded;
            _ = Strict.GetByteCount(text);
            if (!text.Contains('\0', StringComparison.Ordinal)) return text;
        }
        catch (ArgumentException) { /* said below */ }
        throw new Fault(412, "Invalid UTF8 or contains NULL");
    }

    private static byte[] Bytes(string encoded)
    {
        var from = Strict.GetBytes(encoded);
        var at = 0;
        for (var i = 0; i < from.Length; i++)
        {
            if (from[i] == '%' && i + 2 < from.Length && char.IsAsciiHexDigit((char)from[i + 1]) && char.IsAsciiHexDigit((char)from[i + 2]))
            {
                from[at++] = Convert.FromHexString([(char)from[i + 1], (char)from[i + 2]])[0];
                i += 2;
            }
            else from[at++] = from[i];
        }
        return from[..at];
    }
}
