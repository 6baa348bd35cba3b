using Azure;
using Azure.Data.Tables;
using Cloud.Platform.State;

namespace Cloud.Platform.Tables;

/// <summary>A row as an entity of Azure Tables: its body in binary properties of at most 64 KiB each, the entity at most 1 MiB.</summary>
public static class TableRow
{
    public const int MaxBody = 900 * 1024;
    private const int Part = 64 * 1024;
    private const string Ghost = "Ghost";

    /// <exception cref="ArgumentException">The body is too large for one entity.</exception>
    public static TableEntity Entity(string partition, string key, ReadOnlyMemory<byte> body)
    {
        if (body.Length > MaxBody) throw new ArgumentException($"row '{key}' has {body.Length} bytes; an entity holds {MaxBody}", nameof(body));
        var entity = Bare(partition, key);
        for (var (i, at) = (0, 0); at < body.Length || i == 0; i++, at += Part) entity[Name(i)] = body.Slice(at, Math.Min(Part, body.Length - at)).ToArray();
        return entity;
    }

    /// <summary>Stands for a row that isn't there: a group can only insist on an entity, so absence that was insisted on is one. Readers don't see it.</summary>
    public static TableEntity Absence(string partition, string key)
    {
        var entity = Bare(partition, key);
        entity[Ghost] = true;
        return entity;
    }

    /// <summary>Nothing but keys: merged, it changes no property.</summary>
    public static TableEntity Bare(string partition, string key) => new(TableKeys.Encode(partition), TableKeys.Encode(key));

    public static bool IsAbsence(TableEntity entity) => entity.ContainsKey(Ghost);

    /// <summary>The row; null for what only stands for one or for a message.</summary>
    public static Row? Read(TableEntity entity) => IsAbsence(entity) || entity.RowKey.StartsWith(TableKeys.Promise, StringComparison.Ordinal) ? null
        : new(TableKeys.Decode(entity.PartitionKey), TableKeys.Decode(entity.RowKey), entity.ETag.ToString(), Body(entity));

    public static ReadOnlyMemory<byte> Body(TableEntity entity)
    {
        var first = entity.GetBinary(Name(0));
        if (!entity.ContainsKey(Name(1))) return first;
        var whole = new List<byte>(first);
        for (var i = 1; entity.GetBinary(Name(i)) is { } more; i++) whole.AddRange(more);
        return whole.ToArray();
    }

    private static string Name(int part) => part == 0 ? "Body" : $"Body{part}";
}
