using System.Security.Cryptography;
using System.Text;

namespace Cloud.ObjectStorage;

/// <summary>
/// Clients' names as parts of row keys, so that the order of keys is the order of the names' UTF-8 on every store: the characters that stores refuse are written
/// as the one before them and a digit, and that one as itself and a smaller digit. What is encoded stays a prefix: Key(a + b) = Key(a) + Key(b).
/// </summary>
internal static class Names
{
    /// <summary>Comes after all that any name can go on with.</summary>
    public const string Last = "\U0010FFFF\U0010FFFF";
    /// <summary>Characters of a name in a row's key: with what stands around them they stay below what every store takes.</summary>
    public const int Most = 400;

    /// <summary>As a part of a row's key: whole, or its beginning and a digest. Rows with the same beginning are in no order (<see cref="Listing"/> makes one).</summary>
    public static string Row(string name) => Key(name) is var key && IsLong(key) ? $"{Cut(key)}|{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16))}" : key;

    public static bool IsLong(string key) => key.Length > Most;

    /// <summary>What of a key stands in rows' keys; no half of a pair at its end.</summary>
    public static string Cut(string key) => !IsLong(key) ? key : key[..(char.IsHighSurrogate(key[Most - 1]) ? Most + 1 : Most)];

    public static string Key(string name)
    {
        var key = new StringBuilder(name.Length + 16);
        foreach (var c in name)
            _ = c switch
            {
                < ' ' => key.Append(' ').Append((char)('0' + c / 16)).Append((char)('A' + c % 16)),
                ' ' => key.Append(" 2"),
                '"' => key.Append("\"0"),
                '#' => key.Append("\"1"),
                '.' => key.Append(".0"),
                '/' => key.Append(".1"),
                '>' => key.Append(">0"),
                '?' => key.Append(">1"),
                '[' => key.Append("[0"),
                '\\' => key.Append("[1"),
                '~' => key.Append("~0"),
                '\x7f' => key.Append("~1"),
                > '\x7f' and < '\xa0' => key.Append('~').Append((char)('2' + (c - 0x80) / 16)).Append((char)('A' + c % 16)),
                // Halves of pairs are smaller than these in UTF-16, and larger in UTF-8.
                '\ud7ff' => key.Append("\ud7ff0"),
                >= '\ue000' => key.Append("\ud7ff1").Append(c),
                _ => key.Append(c),
            };
        return key.ToString();
    }
}
