using System.ComponentModel.DataAnnotations;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Agents;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Scratch;

/// <summary>A blank disk that a project keeps on some host for a while.</summary>
public sealed record Scratch : Resource
{
    [Field(Filter = true, Sort = true)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Sort = true), MaxLength(255)] public string Name { get; init; } = "";
    [Field(In.Create, Required = true, Sort = true), Range(1, 100)] public int Gib { get; init; }
    [Field(Filter = true)] public string Status { get; init; } = "building";
    [Field(Wire = "created_at", Sort = true)] public DateTimeOffset Made => CreatedAt;
    [OperatorOnly] public string Host { get; init; } = "";
}

public static class Scratches
{
    public static readonly Rows<Scratch> Rows = new("scratch", "scratch");

    public static readonly Quota Quota = new("scratch", new Dictionary<string, long> { ["gib"] = 50 });

    public static readonly Saga<Scratch> Creation = Saga<Scratch>.Named("scratch-create-1", Rows)
        .Step("place", async w =>
        {
            var host = (await Hosts.All(w.Services)).FirstOrDefault(h => Hosts.IsUp(w.Services, h)) ?? throw new SagaFault("No host is up.");
            w.Item = w.Item with { Host = host.Name };
        })
        .Agent("disk", w => new([new HostCommand(w.Item.Host, new EnsureDisk(w.Item.Id, (long)w.Item.Gib << 30))]), undo: w => new(Remove(w.Item)))
        .Finished(w => { w.Item = w.Item with { Status = "ready" }; return ValueTask.CompletedTask; })
        .Failed(w => { w.Item = w.Item with { Status = "error", Host = "" }; return ValueTask.CompletedTask; });

    public static readonly Saga<Scratch> Removal = Saga<Scratch>.Deleting("scratch-delete-1", Rows)
        .Agent("disk", w => new(Remove(w.Item)));

    private static HostCommand[] Remove(Scratch s) => s.Host.Length > 0 ? [new(s.Host, new RemoveDisk(s.Id))] : [];

    public static readonly Kind<Scratch> Kind = new(Rows, "scratches", "/v1/scratches", OwnService.Dialect("scratch"))
    {
        Sees = "scratch:get", ListsAll = "admin",
        Charges = (Quota, Quota.Counts(Rows, s => [new("gib", s.Gib)]), (what, asked, used, limit) => new(413, $"{asked} {what} more than the {used} in use would exceed the limit of {limit}.")),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("scratch:get"), Kind.Show("scratch:get"), Kind.Create("scratch:write", Creation, 202), Kind.Update("scratch:write"), Kind.Delete("scratch:write", Removal, 202),
    ];
}

public static class Api
{
    public static readonly Slice Slice = new("scratch", "scratch", OwnService.Dialect("scratch"),
    [
        new("GET", "/", Policy.Anyone, OwnService.Versions), .. Scratches.Routes,
    ])
    {
        CatalogName = "scratch", CatalogPath = "/v1", Sagas = [Scratches.Creation, Scratches.Removal],
        Owners = [new("disk", async (s, host, id) => (await Scratches.Rows.Find(s.Store, id))?.Item is { Doomed: false } x && x.Host == host, id => new RemoveDisk(id))],
    };
}
