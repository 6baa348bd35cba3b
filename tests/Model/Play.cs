using System.Text.Json;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Model;

/// <summary>Plays a sequence to the cloud and to the model, and compares them after each step.</summary>
public sealed class Play(TestCloud cloud, IReadOnlyDictionary<string, string> ids)
{
    private const string Never = "00000000-0000-4000-8000-000000000000";
    private static readonly Who[] s_all = Enum.GetValues<Who>();
    private static readonly string[][] s_bad =
    [
        ["{}", """{"volume":{"size":-1}}""", """{"volume":{"size":1,"status":"available"}}""", """{"volume":{"size":1,"metadata":7}}"""],
        ["{}", """{"network":{"name":7}}""", """{"network":{"name":"n","status":"ACTIVE"}}""", """{"network":[]}"""],
        ["{}", """{"port":{}}""", """{"port":{"network_id":7}}""", """{"port":{"network_id":"x","colour":"red"}}"""],
        ["{}", """{"floatingip":{}}""", """{"floatingip":{"floating_network_id":[]}}""", """{"floatingip":{"floating_network_id":"x","status":"ACTIVE"}}"""],
        ["[]", """{"name":7}""", """{"visibility":"all"}""", """{"disk_format":"floppy"}"""],
        ["{}", """{"server":{"name":"n"}}""", """{"server":{"name":"n","flavorRef":"1","networks":"some"}}""", """{"server":{"name":"n","flavorRef":"1","networks":"none","status":"ACTIVE"}}"""],
    ];

    private readonly CloudModel _model = new();

    /// <summary>A cloud with a host, three projects and their limits, an external network of four addresses and an image.</summary>
    public static async Task<(TestCloud Cloud, Dictionary<string, string> Ids)> Ground()
    {
        var cloud = await TestCloud.Start(hosts: 1);
        await cloud.AddUser("ann");
        var ids = new Dictionary<string, string>();
        foreach (var who in s_all) ids[$"{who}"] = await cloud.IdOf("projects", User(who));
        async Task<Answer> Do(string method, string path, object body, params (string, string)[] headers) => await cloud.Send(method, path, body, "admin", headers) is { Status: < 300 } good ? good : throw new InvalidOperationException($"{method} {path}");
        ids["ext"] = (await Do("POST", "/network/v2.0/networks", """{"network":{"name":"ext","router:external":true}}""")).Id("network");
        await Do("POST", "/network/v2.0/subnets", new { subnet = new { network_id = ids["ext"], ip_version = 4, cidr = "198.51.100.0/24", enable_dhcp = false, allocation_pools = new[] { new { start = "198.51.100.10", end = $"198.51.100.{9 + CloudModel.Pool}" } } } });
        ids["tiny"] = (await Do("POST", "/image/v2/images", new { name = "tiny", disk_format = "raw", container_format = "bare", visibility = "public" })).Id("");
        await Do("PUT", $"/image/v2/images/{ids["tiny"]}/file", new string('x', 1024), ("Content-Type", "application/octet-stream"));
        foreach (var who in s_all)
            foreach (var (limit, most) in CloudModel.Limits) await Do("PUT", LimitPath(ids, Who.Admin, who, limit), LimitBody(limit, most));
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(30));
        return (cloud, ids);
    }

    /// <returns>What differs first; null when nothing does.</returns>
    public async Task<string?> Run(IReadOnlyList<Step> steps)
    {
        foreach (var (thing, id) in _model.All.Zip([ids["ext"], ids["tiny"]])) thing.Id = id;
        for (var i = 0; i < steps.Count; i++)
        {
            cloud.Clock.Advance(TimeSpan.FromMilliseconds(1)); // ids sort by it
            if (await Make(steps[i]) is { } wrong) return $"step {i + 1}: {wrong}";
        }
        await Rest();
        foreach (var sort in Enum.GetValues<Sort>())
            if (await Compare(sort) is { } wrong) return $"at the end: {wrong}";
        await cloud.Pass(TimeSpan.FromSeconds(30)); // watchdogs go to sleep
        return (await World.Check(cloud)).Problems is { Count: > 0 } problems ? $"at the end: {string.Join("; ", problems)}" : null;
    }

    private async Task<string?> Make(Step s)
    {
        var (target, other) = (_model.Pick(s.Sort, s.Which), _model.Pick(s.Sort == Sort.Server ? Sort.Volume : Sort.Network, s.Sort == Sort.Server ? s.With : s.Which));
        if (s.Do == Do.List) return await Pages(s.Who, s.Sort, 1 + s.With % 3, target);
        var (method, path, body) = Request(s, target?.Id ?? Never, other?.Id ?? Never);
        var wanted = _model.Answer(s);
        var patch = s.Sort == Sort.Image && method == "PATCH";
        var answer = await cloud.Send(method, path, body, User(s.Who), ("Content-Type", patch ? "application/openstack-images-v2.1-json-patch" : s.Do == Do.Fill ? "application/octet-stream" : "application/json"), ("OpenStack-API-Version", "compute 2.37"));
        if (answer.Status != wanted) return $"{method} {path} {body} was answered with {answer.Status}, not {wanted}: {answer.Text}";
        if (s.Do == Do.Create && answer.Status < 300) _model.Made!.Id = answer.Id(One(s.Sort));
        if (s.Do == Do.Show && answer.Status < 300 && Said(s.Sort, One(s.Sort).Length > 0 ? answer.Body.GetProperty(One(s.Sort)) : answer.Body) is var said && said != Meant(target!)) return $"it is shown as {said}, should be {Meant(target!)}";
        if (s.Rests || s.Do is Do.Attach or Do.Detach) await Rest();
        if (cloud.Errors.Count > 0) return cloud.Errors[0];
        foreach (var sort in s.Do is Do.Attach or Do.Detach or Do.Delete ? [s.Sort, Sort.Volume] : new[] { s.Sort })
            if (await Compare(sort) is { } wrong) return $"after {method} {path} {body}: {wrong}";
        return null;
    }

    private async Task Rest()
    {
        await cloud.Drain();
        _model.Rest();
    }

    /// <summary>What everybody's list shows, and what counts.</summary>
    private async Task<string?> Compare(Sort sort)
    {
        foreach (var who in s_all)
        {
            var (there, wanted) = (Items(sort, await Get(who, ListPath(sort, who, ""))).Select(x => Said(sort, x)).ToList(), _model.Listed(who, sort).Select(Meant).ToList());
            if (!there.SequenceEqual(wanted)) return $"{User(who)} sees {sort}s [{string.Join("; ", there)}], should see [{string.Join("; ", wanted)}]";
        }
        foreach (var project in s_all)
            foreach (var limit in CloudModel.Limits.Keys.Where(l => l == CloudModel.LimitOf(sort, 0) || sort == Sort.Volume && l == "gigabytes"))
                if (sort != Sort.Image && Usage(limit, await Get(Who.Admin, UsagePath(project, limit))) is var used && used != _model.Used(project, limit)) return $"{limit} of {User(project)}: {used} used, should be {_model.Used(project, limit)}";
        return null;
    }

    /// <summary>Page after page: the whole list, nothing twice, nothing left out. What can't be seen marks no place.</summary>
    private async Task<string?> Pages(Who who, Sort sort, int size, Thing? marker)
    {
        var (ids, wanted) = (new List<string>(), _model.Listed(who, sort).Select(t => t.Id).ToList());
        for (var last = ""; ids.Count <= wanted.Count;)
        {
            var page = Items(sort, await Get(who, ListPath(sort, who, $"limit={size}{(last.Length > 0 ? "&marker=" + last : "")}"))).Select(x => x.GetProperty("id").GetString()!).ToList();
            if (page.Count > size) return $"a page of {size} has {page.Count}";
            ids.AddRange(page);
            if (page.Count < size) break;
            last = page[^1];
        }
        if (!ids.SequenceEqual(wanted)) return $"pages of {size} {sort}s show {User(who)} [{string.Join(", ", ids)}], should show [{string.Join(", ", wanted)}]";
        // What is being deleted still marks the place where it was.
        if (marker is { Gone: false } && (CloudModel.Sees(who, marker) || marker.Doomed)) return null;
        var refused = await cloud.Send("GET", ListPath(sort, who, $"limit={size}&marker={marker?.Id ?? Never}"), null, User(who), ("OpenStack-API-Version", "compute 2.37"));
        return refused.Status is 400 or 404 ? null : $"a marker that {User(who)} can't see is answered with {refused.Status}: {refused.Text}";
    }

    private (string Method, string Path, string? Body) Request(Step s, string id, string other)
    {
        var (all, one) = (Path(s.Sort, s.Who), One(s.Sort));
        string Wrap(object inside) => JsonSerializer.Serialize(one.Length == 0 ? inside : new Dictionary<string, object> { [one] = inside });
        var name = CloudModel.NameOf(s.With);
        return s.Do switch
        {
            Do.Create => ("POST", all, Wrap(s.Sort switch
            {
                Sort.Volume => new { name, size = CloudModel.SizeOf(s.With) },
                Sort.Port => new { name, network_id = other },
                Sort.FloatingIp => new { description = name, floating_network_id = ids["ext"] },
                Sort.Image => new { name, disk_format = "raw", container_format = "bare" },
                Sort.Server => new { name, flavorRef = "1", imageRef = ids["tiny"], networks = "none" },
                _ => new { name },
            })),
            Do.Bad => ("POST", all, s_bad[(int)s.Sort][s.With % 4]),
            Do.Limit => ("PUT", LimitPath(ids, s.Who, (Who)(s.Which % 3), CloudModel.LimitOf(s.Sort, s.With)), LimitBody(CloudModel.LimitOf(s.Sort, s.With), s.With % 5 - 1)),
            Do.Show => ("GET", $"{all}/{id}", null),
            Do.Delete => ("DELETE", $"{all}/{id}", null),
            Do.Rename when s.Sort == Sort.Image => ("PATCH", $"{all}/{id}", $$"""[{"op":"replace","path":"/name","value":"{{name}}"}]"""),
            Do.Rename => ("PUT", $"{all}/{id}", Wrap(s.Sort == Sort.FloatingIp ? new { description = name } : new { name })),
            Do.Share when s.Sort == Sort.Image => ("PATCH", $"{all}/{id}", $$"""[{"op":"replace","path":"/visibility","value":"{{CloudModel.SeenBy(s.With)}}"}]"""),
            Do.Share => ("PUT", $"{all}/{id}", Wrap(new { shared = s.With % 2 == 0 })),
            Do.Fill => ("PUT", $"{all}/{id}/file", "bytes"),
            Do.Grow => ("POST", $"{all}/{id}/action", $$$"""{"os-extend":{"new_size":{{{(_model.Pick(s.Sort, s.Which)?.Size ?? 1) + (s.With % 3)}}}}}"""),
            Do.Attach => ("POST", $"{all}/{id}/os-volume_attachments", $$$"""{"volumeAttachment":{"volumeId":"{{{other}}}"}}"""),
            Do.Detach => ("DELETE", $"{all}/{id}/os-volume_attachments/{other}", null),
            _ => ("POST", $"{all}/{id}/action", s.Do == Do.Stop ? """{"os-stop":null}""" : """{"os-start":null}"""),
        };
    }

    private static string User(Who who) => who.ToString().ToLowerInvariant();
    private static string One(Sort sort) => sort == Sort.Image ? "" : sort.ToString().ToLowerInvariant();
    private static string LimitBody(string limit, int most) => $$$"""{"{{{(limit is "network" or "port" or "floatingip" ? "quota" : "quota_set")}}}":{"{{{limit}}}":{{{most}}}}}""";

    private string Path(Sort sort, Who who) => sort switch { Sort.Volume => $"/volume/v3/{ids[$"{who}"]}/volumes", Sort.Image => "/image/v2/images", Sort.Server => "/compute/v2.1/servers", _ => $"/network/v2.0/{One(sort)}s" };

    private string ListPath(Sort sort, Who who, string query) => Path(sort, who) + (sort is Sort.Volume or Sort.Server ? "/detail" : "") + ((who == Who.Admin && sort is Sort.Volume or Sort.Server ? "all_tenants=1" : "", query) is var (all, more) && all.Length + more.Length > 0 ? $"?{all}{(all.Length > 0 && more.Length > 0 ? "&" : "")}{more}" : "");

    private static string LimitPath(IReadOnlyDictionary<string, string> ids, Who who, Who project, string limit) => limit switch { "volumes" or "gigabytes" => $"/volume/v3/{ids[$"{who}"]}/os-quota-sets/{ids[$"{project}"]}", "instances" => $"/compute/v2.1/os-quota-sets/{ids[$"{project}"]}", _ => $"/network/v2.0/quotas/{ids[$"{project}"]}" };

    private string UsagePath(Who project, string limit) => LimitPath(ids, Who.Admin, project, limit) + (limit switch { "volumes" or "gigabytes" => "?usage=true", "instances" => "/detail", _ => "/details" });

    private static int Usage(string limit, JsonElement body) => body.EnumerateObject().First().Value.GetProperty(limit) is var of && of.TryGetProperty("used", out var used) ? used.GetInt32() : of.GetProperty("in_use").GetInt32();

    private async Task<JsonElement> Get(Who who, string path) => await cloud.Send("GET", path, null, User(who), ("OpenStack-API-Version", "compute 2.37")) is { Status: 200 } answer ? answer.Body : throw new InvalidOperationException($"GET {path} as {User(who)} is refused");

    private static IEnumerable<JsonElement> Items(Sort sort, JsonElement list) => list.GetProperty(sort == Sort.Image ? "images" : One(sort) + "s").EnumerateArray();

    private string Meant(Thing t) => $"{t.Id} {t.Name} {t.Status} {t.Size} {ids[$"{t.Owner}"]}";

    private static string Said(Sort sort, JsonElement x)
    {
        var owner = sort switch { Sort.Volume => "os-vol-tenant-attr:tenant_id", Sort.Server => "tenant_id", Sort.Image => "owner", _ => "project_id" };
        return $"{x.GetProperty("id")} {x.GetProperty(sort == Sort.FloatingIp ? "description" : "name")} {x.GetProperty("status")} {(sort == Sort.Volume ? x.GetProperty("size").GetInt32() : 0)} {x.GetProperty(owner)}";
    }
}
