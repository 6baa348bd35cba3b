using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Hosting;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>Rules of the design that a compiler doesn't know. An exception stands here with its reason, or there is none.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly Assembly Functions = typeof(Slices).Assembly;
    /// <summary>Words of the network API that look like rules.</summary>
    private static readonly string[] DeviceOwners = ["compute:nova", "network:dhcp", "network:floatingip", "network:router_interface", "network:router_gateway"];
    private static readonly IReadOnlyList<(Slice Slice, Route Route)> Routes = [.. Slices.All.SelectMany(s => s.Routes.Select(r => (s, r)))];

    [Fact]
    public void Slices_reach_into_each_other_through_facades_only() => None(
        from user in Code.Functions.Mentions
        from used in user
        where SliceOf(user.Key) is { } a && SliceOf(used) is { } b && a != b && !Vocabulary(b).Contains(used)
        select $"{user.Key} uses {used}");

    [Fact]
    public void The_platform_knows_no_slice() => None(
        from user in Code.Functions.Mentions
        where user.Key.StartsWith("Cloud.Platform.", StringComparison.Ordinal)
        from used in user
        where SliceOf(used) is not null
        select $"{user.Key} uses {used}");

    [Theory]
    [InlineData("System.DateTime::get_UtcNow")]
    [InlineData("System.DateTime::get_Now")]
    [InlineData("System.DateTimeOffset::get_UtcNow")]
    [InlineData("System.DateTimeOffset::get_Now")]
    [InlineData("System.Environment::get_TickCount")]
    [InlineData("System.Environment::get_TickCount64")]
    // How long one instruction takes is what it measures.
    [InlineData("System.Diagnostics.Stopwatch::GetTimestamp", "Cloud.Agents.Sidecar.Kvm")]
    [InlineData("System.Diagnostics.Stopwatch::StartNew")]
    // A thread that belongs to libvirt's loop.
    [InlineData("System.Threading.Thread::Sleep", "Cloud.Agents.Sidecar.EventLoop")]
    [InlineData("System.Random::get_Shared")]
    // Another one in each process: what it decides can't be repeated.
    [InlineData("System.String::GetHashCode")]
    [InlineData("System.Guid::NewGuid")]
    [InlineData("System.Guid::CreateVersion7", "Cloud.Platform.TimeOrderedIds")]
    // The one chance that may repeat: a simulated host's faults come from a seed.
    [InlineData("System.Random::.ctor", "Cloud.Agents.Simulated.SimulatedHost")]
    // Where the parts are put together.
    [InlineData("System.TimeProvider::get_System", "Program", "Cloud.Embedded", "Cloud.CustomHandler")]
    [InlineData("System.Net.Http.HttpClient::.ctor", "Cloud.Agents.Host.Disks.ImageSource")]
    [InlineData("System.Net.Http.HttpMessageInvoker::.ctor", "Cloud.Platform.Net.OutboundHttp")]
    // The second starts this program anew, to look at what nobody trusts.
    [InlineData("System.Diagnostics.Process::Start", "Cloud.Agents.Host.Linux.Tool", "Cloud.Platform.Hosting.ChildProcess")]
    public void Time_chance_network_and_processes_have_one_source_each(string what, params string[] allowed)
    {
        var uses = Code.Product.SelectMany(c => c.Calls).Where(u => u.What == what).Select(u => u.Where).Distinct().ToList();
        None(uses.Except(allowed).Select(w => $"{w} calls {what}"));
        None(allowed.Except(uses).Select(w => $"{w} no longer calls {what}: take it off the list"));
    }

    [Fact]
    public void Every_route_has_a_policy_that_exists()
    {
        var policy = Policy.Embedded(enforceScope: false);
        None(Routes.Where(r => !policy.Knows(r.Route.Policy)).Select(r => Name(r) + $" has the unknown policy '{r.Route.Policy}'"));
        None(from kind in Kinds() from rule in kind.Rules where !policy.Knows(rule) select $"{kind.Name} has the unknown policy '{rule}'");
        // A rule that is misspelt in the code denies in silence.
        var prefixes = Rules().Keys.Where(k => k.Contains(':', StringComparison.Ordinal)).Select(k => k[..k.IndexOf(':', StringComparison.Ordinal)]).ToHashSet();
        None(Code.Functions.Strings.Where(s => RuleName().Match(s) is { Success: true } m && prefixes.Contains(m.Groups[1].Value) && !policy.Knows(s) && !DeviceOwners.Contains(s)).Select(s => $"the code names the unknown policy '{s}'"));
    }

    [Fact]
    public void Every_rule_is_used()
    {
        var rules = Rules();
        var named = Code.Functions.Strings.Concat(Routes.Select(r => r.Route.Policy)).ToHashSet();
        None(rules.Keys.Where(r => !named.Contains(r) && !rules.Values.Any(text => text.Split(' ', '(', ')').Contains("rule:" + r))).Select(r => $"policy rule '{r}' is used by nothing"));
    }

    [Fact]
    public void No_two_routes_answer_the_same_request() => None(
        Routes.GroupBy(r => (r.Slice.Prefix, r.Route.Method, Shape: Argument().Replace(r.Route.Path, "{}"), r.Route.Action))
            .SelectMany(g => g.SelectMany((a, i) => g.Skip(i + 1).Where(b => Overlap(a.Route, b.Route)).Select(b => $"{Name(a)} and {Name(b)}"))));

    [Fact]
    public void Paths_are_well_formed() => None(Routes.Where(r => !Path().IsMatch(r.Route.Path) || r.Route.Method is not ("GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "COPY" or "OPTIONS")).Select(Name));

    [Fact]
    public void Sagas_have_unique_names_with_a_version_and_are_all_registered()
    {
        var registered = Slices.All.SelectMany(s => s.Sagas).ToList();
        None(registered.GroupBy(s => s.Name).Where(g => g.Count() > 1).Select(g => $"two sagas are named {g.Key}"));
        None(registered.Where(s => !SagaName().IsMatch(s.Name)).Select(s => $"{s.Name} does not end with a version"));
        None(Statics<ISaga>().Where(s => !registered.Contains(s.Value)).Select(s => $"{s.Name} is in no slice's list: its messages would find nobody"));
    }

    [Fact]
    public void Wire_names_are_unique() => None(
        from type in Functions.GetTypes()
        from twice in type.GetProperties().Select(p => (p, f: p.GetCustomAttribute<FieldAttribute>())).Where(x => x.f is not null)
            .GroupBy(x => (Wire: x.f!.Wire ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(x.p.Name), x.f.Since)).Where(g => g.Count() > 1)
        select $"{type.Name} has two fields named {twice.Key.Wire}");

    [Fact]
    public void Triggers_have_unique_names_that_no_path_begins_with()
    {
        var triggers = Triggers.All(Slices.All);
        None(triggers.GroupBy(t => t.Name).Where(g => g.Count() > 1).Select(g => $"two triggers are named {g.Key}"));
        None(triggers.Where(t => !t.Name.StartsWith(t switch { HttpTrigger => "http-", QueueTrigger => "queue-", _ => "timer-" }, StringComparison.Ordinal) || !TriggerName().IsMatch(t.Name)).Select(t => t.Name));
        None(Slices.All.Where(s => s.Prefix.StartsWith("queue-", StringComparison.Ordinal) || s.Prefix.StartsWith("timer-", StringComparison.Ordinal)).Select(s => $"/{s.Prefix} looks like an invocation"));
    }

    [Fact]
    public void Files_are_short() => None(
        from folder in new[] { "functions", "agents", "tests", "infra" }
        from file in Directory.EnumerateFiles(Repository.Path(folder), "*.cs", SearchOption.AllDirectories)
        where !Generated().IsMatch(file) && File.ReadLines(file).Count() > 400
        select $"{System.IO.Path.GetRelativePath(Repository.Root, file)} has more than 400 lines");

    private static string? SliceOf(string type) => type.Split('.') is ["Cloud", not "Platform" and var slice, _, ..] ? slice : null;

    /// <summary>A slice's facade and the types that its signatures hold.</summary>
    private static HashSet<string> Vocabulary(string slice)
    {
        if (Functions.GetType($"Cloud.{slice}.Facade") is not { } facade) return [];
        IEnumerable<Type> Parts(Type t) => t.HasElementType ? Parts(t.GetElementType()!) : t.IsGenericType ? t.GetGenericArguments().SelectMany(Parts) : [t];
        return [facade.FullName!, .. facade.GetMethods().SelectMany(m => m.GetParameters().Select(p => p.ParameterType).Append(m.ReturnType)).SelectMany(Parts).Select(t => t.FullName!)];
    }

    private static Dictionary<string, string> Rules() => Functions.GetManifestResourceNames().Where(n => n.EndsWith("policy.json", StringComparison.Ordinal))
        .SelectMany(n => JsonSerializer.Deserialize<Dictionary<string, string>>(Functions.GetManifestResourceStream(n)!)!).ToDictionary();

    /// <summary>The rules that kinds and fields name.</summary>
    private static IEnumerable<(string Name, IEnumerable<string> Rules)> Kinds() =>
        from s in Statics<object>()
        where s.Value.GetType() is { IsGenericType: true } t && t.GetGenericTypeDefinition() == typeof(Kind<>)
        let of = s.Value.GetType()
        select (s.Name, new[] { of.GetProperty("Sees")!.GetValue(s.Value) as string, of.GetProperty("ListsAll")!.GetValue(s.Value) as string }
            .Concat(of.GetGenericArguments()[0].GetProperties().Select(p => p.GetCustomAttribute<FieldAttribute>()?.Policy)).OfType<string>());

    private static IEnumerable<(string Name, T Value)> Statics<T>() =>
        from type in Functions.GetTypes()
        where !type.ContainsGenericParameters && SliceOf(type.FullName!) is not null
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where field.FieldType.IsAssignableTo(typeof(T)) || typeof(T) == typeof(object) && !field.IsLiteral
        let value = field.GetValue(null)
        where value is T
        select ($"{type.Name}.{field.Name}", (T)value);

    private static bool Overlap(Route a, Route b) => Before(a.Since, b.Until) && Before(b.Since, a.Until);
    private static bool Before(string? since, string? until) => since is null || until is null || ApiVersion.Parse(since) <= ApiVersion.Parse(until);
    private static string Name((Slice Slice, Route Route) r) => $"{r.Route.Method} /{r.Slice.Prefix}{r.Route.Path} {r.Route.Action}";

    private static void None(IEnumerable<string> violations) => Assert.True(!violations.Any(), string.Join('\n', violations.Distinct().Order()));

    [GeneratedRegex("^([a-z_]+):[a-z0-9_:]+$")] private static partial Regex RuleName();
    [GeneratedRegex(@"\{[a-z_]+\*?\}")] private static partial Regex Argument();
    [GeneratedRegex(@"^/$|^(/([A-Za-z0-9._+-]+|\{[a-z_]+\}))*(/\{[a-z_]+\*\})?$")] private static partial Regex Path();
    [GeneratedRegex("^[a-z]+(-[a-z]+)*-[0-9]+$")] private static partial Regex SagaName();
    [GeneratedRegex("^[a-z][a-z0-9-]{1,59}$")] private static partial Regex TriggerName();
    [GeneratedRegex(@"/(bin|obj)/")] private static partial Regex Generated();
}
