using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>POST /servers: everything is checked here, so that a saga rarely has to say no.</summary>
public static class ServerCreate
{
    private static readonly JsonElement Nothing = JsonDocument.Parse("{}").RootElement.Clone();

    public static async ValueTask<Reply> Run(Call c)
    {
        var top = BodyReader.Of(c.Json);
        var read = new BodyReader(c.Body("server"));
        top.Get("server");
        Hints(top);
        top.NothingElse();
        var (min, max) = (read.Number("min_count", 1, 1000) ?? 1, read.Number("max_count", 1, 1000));
        if (max < min) throw Fault.BadRequest("min_count must be <= max_count");
        var count = Math.Max(min, max ?? min);
        var reservation = read.Flag("return_reservation_id") ?? false;
        var draft = await ServerBody.Read(c, read);
        if (count > 1 && (draft.Nics.Any(n => !n.Made || n.FixedIp is not null) || draft.Volumes.Length > 0)) throw Fault.BadRequest("Unable to launch multiple instances with a single configured port, address or volume ID. Please launch your instance one by one with different ones.");
        var made = new List<Server>();
        for (var i = 0; i < count; i++)
        {
            try { made.Add(await One(c, draft, i, count)); }
            catch (Exception e)
            {
                // Fewer than the most asked for are still what was asked for; fewer than the least are not, and go again.
                if (e is Fault { Status: 403 } && i >= min) break;
                foreach (var server in made) await Remove(c, server);
                throw;
            }
        }
        return Answer(c, made[0], reservation);
    }

    private static ValueTask<Server> One(Call c, Server draft, int index, int count) => Servers.Kind.Create(c, "compute:create", Nothing, ServerSagas.Creation, d =>
    {
        d.Item = draft with
        {
            Id = d.Item.Id,
            ProjectId = d.Item.ProjectId,
            CreatedAt = d.Item.CreatedAt,
            LaunchIndex = index,
            Name = count > 1 ? $"{draft.Name}-{index + 1}" : draft.Name,
            Hostname = count > 1 ? ServerBody.HostnameOf($"{draft.Hostname}-{index + 1}") : draft.Hostname,
            Nics = [.. draft.Nics.Select(n => n.Made ? n with { PortId = c.Services.Ids.New() } : n)],
        };
        d.Ops.Add(ServerHistory.Began(c, d.Item.Id, "create"));
        return ValueTask.CompletedTask;
    });

    private static async ValueTask Remove(Call c, Server server)
    {
        c.Args["id"] = server.Id;
        await Servers.Kind.Delete(c, "compute:delete", ServerSagas.Removal);
    }

    // Wishes that nobody grants must not be taken for granted.
    private static void Hints(BodyReader top)
    {
        foreach (var name in (string[])["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"])
            if (top.Get(name) is { } hints && (hints.ValueKind != JsonValueKind.Object || hints.EnumerateObject().Any())) throw Fault.BadRequest($"Invalid input for field/attribute {name}: scheduler hints are not offered by this cloud.");
    }

    private static Reply Answer(Call c, Server s, bool reservation) => Reply.Object(202, w =>
    {
        if (reservation) w.WriteString("reservation_id", s.ReservationId);
        else w.Object("server", () =>
        {
            w.WriteString("id", s.Id);
            ComputeDialect.Links(w, c, "servers", s.Id);
            w.WriteString("OS-DCF:diskConfig", s.DiskConfig);
            w.Objects("security_groups", s.GroupNames.Length > 0 ? s.GroupNames : ["default"], g => w.WriteString("name", g));
            w.WriteString("adminPass", s.AdminPass);
        });
    }).With("Location", $"{c.BaseUrl}/v2.1/servers/{s.Id}");
}
