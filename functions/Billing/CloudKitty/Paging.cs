using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>Version 2's offset and limit, lists and filters.</summary>
public sealed record Paging(int Offset, int Limit)
{
    public static Paging Of(Call c) => new(Number(c, "offset", 0, 0, int.MaxValue), Number(c, "limit", 100, 1, 1000));

    /// <summary>Given once with commas, or several times.</summary>
    public static string[] Words(Call c, string key) => [.. c.Query.Where(q => q.Key == key).SelectMany(q => q.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];

    public static Wanted Filters(Call c)
    {
        string? type = null, project = null, id = null;
        foreach (var word in Words(c, "filters"))
            switch (word.Split(':', 2))
            {
                case ["type", var v]: type = v; break;
                case ["project_id" or "tenant_id", var v]: project = v; break;
                case ["id", var v]: id = v; break;
                default: throw Fault.BadRequest($"The filter '{(word.Length > 64 ? word[..64] : word)}' is unknown; possible are type:, project_id: and id:.");
            }
        return new(type, project, id);
    }

    private static int Number(Call c, string key, int otherwise, int least, int most) => c.First(key) is not { Length: > 0 } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= least && n <= most ? n : throw Fault.BadRequest($"{key} must be a number from {least} to {most}.");
}

/// <summary>What a client filters by. Administrators get all projects unless they name one, others their own.</summary>
public sealed record Wanted(string? Type, string? Project, string? Id)
{
    public async ValueTask<IEnumerable<Rated>> Rated(Call c, Period period) =>
        (await period.Rate(c, await Period.Projects(c, Project, Project is null && c.Allows("billing:get_all", default))))
            .Where(r => (Type is null || r.Item.Meter == Type) && (Id is null || r.Item.Resource.EndsWith("|" + Id, StringComparison.Ordinal)));
}
