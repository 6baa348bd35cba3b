namespace Cloud.Platform.Tables;

/// <summary>
/// Partition and row keys as Azure Tables takes them. It refuses control characters, so these and two characters that stand for them are
/// written as two, in such a way that the order of keys stays what it was.
/// </summary>
/// <remarks>https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model</remarks>
public static class TableKeys
{
    /// <summary>Begins the keys of promised messages; no encoded key begins so.</summary>
    public const string Promise = "!!";

    // What is below '"' begins with '!', the lowest that is left; what is from '~' to the last control character begins with '~'.
    private const char Low = '!', High = '~', Base = '0', LastControl = '\u009f';

    public static string Encode(string key)
    {
        if (!key.Any(Special)) return key;
        return string.Concat(key.Select(c => c <= Low ? $"{Low}{(char)(Base + c)}" : Special(c) ? $"{High}{(char)(Base + c - High)}" : c.ToString()));
    }

    public static string Decode(string key)
    {
        if (!key.Contains(Low, StringComparison.Ordinal) && !key.Contains(High, StringComparison.Ordinal)) return key;
        var text = new System.Text.StringBuilder(key.Length);
        for (var i = 0; i < key.Length; i++)
            text.Append(key[i] is Low or High && i + 1 < key.Length ? (char)(key[++i] - Base + (key[i - 1] == High ? High : 0)) : key[i]);
        return text.ToString();
    }

    /// <summary>OData filter for <paramref name="name"/> within bounds as <see cref="State.Keys.Range"/> makes them: no upper one where everything is below it.</summary>
    public static string Within(string name, string from, string to)
    {
        var open = to.TrimEnd(char.MaxValue);
        // Above all that begin with it is what its last character's successor begins.
        var end = Encode(open) is { Length: > 0 } e && open.Length < to.Length ? e[..^1] + (char)(e[^1] + 1) : Encode(open);
        return $"{name} ge '{Quoted(Encode(from))}'" + (end.Length > 0 ? $" and {name} lt '{Quoted(end)}'" : "");
    }

    /// <summary>OData filter for one partition.</summary>
    public static string In(string partition) => $"PartitionKey eq '{Quoted(Encode(partition))}'";

    /// <summary>OData filter for the promises of one partition.</summary>
    public static string PromisesIn(string partition) => $"{In(partition)} and RowKey ge '{Promise}' and RowKey lt '{Promise[..^1]}{(char)(Promise[^1] + 1)}'";

    private static string Quoted(string text) => text.Replace("'", "''", StringComparison.Ordinal);

    private static bool Special(char c) => c <= Low || (c >= High && c <= LastControl);
}
