using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;
using Cloud.Agents.Contract;
using Cloud.Platform.Access;
using Cloud.Platform.Hosting;
using Cloud.Platform.State;

namespace Cloud.Platform.Rest;

/// <summary>One request as it came, free of any web server.</summary>
/// <param name="Path">As sent, still percent-encoded, no query.</param>
/// <param name="Root">scheme://host as the client sees it.</param>
public sealed record Request(string Method, string Path, IReadOnlyList<(string, string)> Query, Func<string, string?> Header, Stream Body, string Root, CancellationToken Cancelled = default)
{
    public IEnumerable<string> HeaderNames { get; init; } = [];
    /// <summary>Whom it came from; null where nobody says.</summary>
    public System.Net.IPAddress? Peer { get; init; }
    /// <summary>The server is about to end: who waits for something shall not.</summary>
    public CancellationToken Stopping { get; init; }
}

/// <summary>From a request to an answer: service, route, version, token, policy, body, handler. Every failure leaves in the service's own format.</summary>
public sealed class Router
{
    /// <summary>Bytes of a JSON body.</summary>
    public const int MaxBody = 112 * 1024;
    private const int MaxDepth = 32;

    private readonly Services _services;
    private readonly Dictionary<string, (Slice Slice, RouteTree Tree)> _slices;
    private readonly Slice[] _claiming;
    private readonly Action<Exception, string> _log;

    /// <exception cref="InvalidOperationException">A route names a policy that doesn't exist.</exception>
    public Router(Services services, Action<Exception, string> log)
    {
        foreach (var slice in services.Slices)
            foreach (var route in slice.Routes)
                if (!services.Policy.Knows(route.Policy)) throw new InvalidOperationException($"{slice.Prefix}: {route.Method} {route.Path} has the unknown policy '{route.Policy}'");
        (_services, _log) = (services, log);
        _claiming = [.. services.Slices.Where(s => s.Claims is not null)];
        _slices = services.Slices.ToDictionary(s => s.Prefix, s => (s, RouteTree.Of(s.Routes)));
        foreach (var slice in services.Slices)
            foreach (var root in slice.Roots) _slices.Add(root, _slices[slice.Prefix]);
    }

    private Router(Router like, Services services, Action<Exception, string> log) => (_services, _log, _slices, _claiming) = (services, log, like._slices, like._claiming);

    /// <summary>The same routes over another state.</summary>
    public Router For(Services services, Action<Exception, string> log) => new(this, services, log);

    public async Task<Reply> Handle(Request request)
    {
        var (id, began) = ("req-" + _services.Ids.New(), _services.Clock.GetTimestamp());
        request = Forwarded.Believed(request, _services.Settings.TrustedProxies);
        var origin = Origins.Of(request, _services.Settings);
        var slash = request.Path.IndexOf('/', 1) is > 0 and var i ? i : request.Path.Length;
        var first = request.Path.Length < 2 ? "" : request.Path[1..slash];
        var claimed = Array.Find(_claiming, s => s.Claims!(request))?.Prefix;
        if (!_slices.TryGetValue(claimed ?? first, out var found)) return Unknown(request).With("X-Openstack-Request-Id", id);
        if (Origins.Ask(request, _services.Settings, origin, found.Slice) is { } asked) return asked.With("X-Openstack-Request-Id", id);
        if (found.Slice.Prefix != first) slash = 0; // the server's root is the service's
        var call = new Call
        {
            Services = _services, Dialect = found.Slice.Dialect, Method = request.Method, Path = found.Slice.Dialect.Rewrite(request.Path[slash..]), Query = request.Query, Header = request.Header, HeaderNames = request.HeaderNames,
            BaseUrl = request.Root + request.Path[..slash], RequestId = id, Cancelled = request.Cancelled, Stopping = request.Stopping, Peer = request.Peer,
        };
        Reply reply;
        try
        {
            if (found.Slice.Dialect.Microversions is { } versions) call.Version = versions.Negotiate(request.Header);
            reply = await Run(call, found.Tree, found.Slice, request);
        }
        catch (Exception e) when (e is not OperationCanceledException || !request.Cancelled.IsCancellationRequested)
        {
            var fault = ToFault(e, call);
            reply = found.Slice.Dialect.Error(call, fault);
            foreach (var (name, value) in fault.Headers) reply.With(name, value);
        }
        Numbers.Request(found.Slice.Prefix, request.Method, reply.Status, _services.Clock.GetElapsedTime(began));
        reply.With("X-Openstack-Request-Id", id);
        if (found.Slice.Dialect.RequestIdHeader is { } header) reply.With(header, id);
        if (found.Slice.Dialect.Microversions is { } m)
        {
            reply.With("OpenStack-API-Version", $"{m.Service} {(call.Version == default ? m.Min : call.Version)}").With("Vary", "OpenStack-API-Version");
            if (m.LegacyHeader is { } legacy) reply.With(legacy, (call.Version == default ? m.Min : call.Version).ToString()).With("Vary", legacy);
        }
        return Origins.Show(reply, origin);
    }

    private async Task<Reply> Run(Call call, RouteTree tree, Slice slice, Request request)
    {
        var candidates = call.Dialect.StrictSlash && call.Path.EndsWith('/') && call.Path.AsSpan().Count('/') > 2 ? [] : tree.Find(call.Path);
        if (candidates.Count == 0) throw new Fault(404, "The resource could not be found.");
        var method = call.Method == "HEAD" && !candidates.Any(r => r.Method == "HEAD") ? "GET" : call.Method;
        var routes = candidates.Where(r => r.Method == method).ToList();
        if (routes.Count == 0) throw new Fault(405, "The method is not allowed for this resource.") { Headers = [("Allow", string.Join(", ", candidates.Select(r => r.Method).Distinct()))] };

        call.Token = request.Header("X-Auth-Token") ?? call.Bearer;
        if (call.Token is { Length: > 0 }) call.User = await _services.Tokens.Verify(call.Token, call.Cancelled);
        if (call.User?.AccessRules is { } rules && !rules.Any(r => r.Allows(slice.Type, call.Method, call.Path))) call.User = null;
        if (call.User is null && !routes.TrueForAll(r => r.Policy == Policy.Anyone || r.AsksItself))
            throw new Fault(401, "The request you have made requires authentication.") { Headers = [("WWW-Authenticate", $"Keystone uri=\"{request.Root}/identity\"")] };

        if (routes[0].Streams) call.Stream = request.Body;
        else if (call.Method is not ("GET" or "HEAD")) call.Json = await ReadJson(request);
        var route = Choose(routes, call);
        call.Route = route;
        Tracing.Name($"{route.Method} /{slice.Prefix}{route.Path}", call.RequestId);
        RouteTree.Fill(call.Args, route.Path, call.Path);
        if (call.Dialect.ProjectInPath && call.Args.TryGetValue("project_id", out var project) && project != call.User?.ProjectId)
            throw Fault.BadRequest($"Malformed request URL: URL's project_id '{project}' doesn't match Context's project_id '{call.User?.ProjectId}'");
        if (!route.AsksItself && !call.Allows(route.Policy, call.Own))
        {
            if (route.Seen is { } seen) await seen(call);
            throw Fault.Forbidden(route.Policy);
        }
        return await route.Run(call);
    }

    private static Route Choose(List<Route> routes, Call call)
    {
        var live = routes.Where(r => (r.Since is null || call.Version >= ApiVersion.Parse(r.Since)) && (r.Until is null || call.Version <= ApiVersion.Parse(r.Until))).ToList();
        if (live.Count == 0) throw new Fault(404, "The resource could not be found in this version of the API.");
        if (live[0].Action is null) return live[0];
        if (call.Json.ValueKind == JsonValueKind.Object && call.Json.GetPropertyCount() > 1) throw Fault.BadRequest("Invalid input: the body must hold one action.");
        if (call.Json.ValueKind == JsonValueKind.Object)
            foreach (var p in call.Json.EnumerateObject())
                if (live.Find(r => r.Action == p.Name) is { } route) return route;
        var name = call.Json.ValueKind == JsonValueKind.Object && call.Json.EnumerateObject().FirstOrDefault() is { Value.ValueKind: not JsonValueKind.Undefined } first ? first.Name : "";
        throw Fault.BadRequest($"There is no such action: {(name.Length > 60 ? name[..60] : name)}");
    }

    private static async Task<JsonElement> ReadJson(Request request)
    {
        if (long.TryParse(request.Header("Content-Length"), out var length) && length > MaxBody) throw new Fault(413, "Request is too large.");
        using var buffer = new MemoryStream();
        var chunk = new byte[8192];
        for (int n; (n = await request.Body.ReadAsync(chunk, request.Cancelled)) > 0;)
        {
            if (buffer.Length + n > MaxBody) throw new Fault(413, "Request is too large.");
            buffer.Write(chunk, 0, n);
        }
        if (buffer.Length == 0) return default;
        if (request.Header("Content-Type") is { Length: > 0 } type && !type.Contains("json", StringComparison.OrdinalIgnoreCase))
            throw new Fault(415, $"Unsupported Content-Type {(type.Length > 80 ? type[..80] : type)}; use application/json.");
        try
        {
            using var json = JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            // Bytes of a text aren't looked at until somebody reads it; half a character, written as \uD800, is valid JSON and no text.
            if (!Utf8.IsValid(buffer.GetBuffer().AsSpan(0, (int)buffer.Length))) throw new JsonException("not UTF-8");
            if (buffer.GetBuffer().AsSpan(0, (int)buffer.Length).IndexOf("\\u"u8) >= 0) Texts(json.RootElement);
            return json.RootElement.Clone();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Fault.BadRequest("Malformed request body: it is not valid JSON.");
        }
    }

    /// <exception cref="InvalidOperationException">A text can't be read.</exception>
    private static void Texts(JsonElement e)
    {
        switch (e.ValueKind)
        {
            case JsonValueKind.String: e.GetString(); break;
            case JsonValueKind.Array: foreach (var x in e.EnumerateArray()) Texts(x); break;
            case JsonValueKind.Object: foreach (var p in e.EnumerateObject()) { _ = p.Name; Texts(p.Value); } break;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "nothing an exception says may reach the wire by accident")]
    private Fault ToFault(Exception e, Call call)
    {
        switch (e)
        {
            case Fault fault:
                if (fault.Detail is not null) _log(fault, $"{call.RequestId} {call.Method} {call.Path}: {fault.Detail}");
                return fault;
            case StoreUnavailableException:
                _log(e, call.RequestId);
                return new(503, "The service is busy. Try again.") { Headers = [("Retry-After", "1")] };
            case ConflictException:
                return Fault.Conflict("The resource was changed by another request. Try again.");
            default:
                _log(e, $"{call.RequestId} {call.Method} {call.Path}");
                return new(500, $"An unexpected error prevented the server from fulfilling your request. (Request-ID: {call.RequestId})");
        }
    }

    private Reply Unknown(Request request) => request.Path is "/" or ""
        ? Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("services");
            foreach (var s in _services.Slices)
            {
                w.WriteStartObject();
                w.WriteString("type", s.Type);
                w.WriteString("url", $"{request.Root}/{s.Prefix}/");
                w.WriteEndObject();
            }
            w.WriteEndArray();
            w.WriteEndObject();
        })
        : Reply.Of(404, w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("error");
            w.WriteNumber("code", 404);
            w.WriteString("message", "There is no such service.");
            w.WriteEndObject();
            w.WriteEndObject();
        });
}
