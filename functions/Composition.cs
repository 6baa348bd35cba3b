using System.Text;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Blobs;
using Cloud.Platform.Bus;
using Cloud.Platform.Hosting;
using Cloud.Platform.Net;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud;

/// <summary>Puts the parts together; the embedded cloud, the custom handler and the tests all come through here.</summary>
public static class Composition
{
    public static Services Services(IEntityStore store, IBus bus, IBlobStore blobs, TimeProvider clock, IIds ids, Settings settings, IReadOnlyList<Slice>? slices = null, IOutbound? outbound = null, ReplicatedBlobs? objects = null, IConfined? confined = null)
    {
        slices ??= Slices.All;
        return new()
        {
            Store = store, Bus = bus, Blobs = blobs, ImageStores = ImageStores.Of(settings, blobs), Confined = confined ?? new ChildProcess(), Objects = objects ?? new([], 0), Clock = clock, Ids = ids, Settings = settings, Slices = slices,
            Outbound = outbound ?? new OutboundHttp(clock, settings.OutboundOpened),
            Policy = Policy.Embedded(settings.EnforceScope), Tokens = new Identity.Tokens(store, clock), Sagas = new SagaRegistry(slices.SelectMany(s => s.Sagas)),
        };
    }

    /// <summary>Makes what must always exist. Repeats harmlessly, and so does who meets another that starts at the same time: he sees then what that one made.</summary>
    public static async Task Start(Services services)
    {
        foreach (var slice in services.Slices)
            for (var meetings = 0; slice.OnStart is { } start; meetings++)
                try
                {
                    await start(services);
                    break;
                }
                catch (ConflictException) when (meetings < MostMeetings) { /* again, over what is there now */ }
    }

    /// <summary>As <see cref="Start"/>, once for a build and what it makes that for: a function app starts for every few requests, and then looks at one row instead of all of them.</summary>
    public static async Task StartOnce(Services services)
    {
        const string partition = "started", key = "by";
        var settings = services.Settings;
        var by = Encoding.UTF8.GetBytes($"{typeof(Composition).Module.ModuleVersionId} {settings.Region} {settings.AdminPassword is not null} {settings.DemoPassword is not null} {string.Join(',', services.Slices.Select(s => s.Prefix))}");
        if (await services.Store.Get(partition, key) is { } row && row.Body.Span.SequenceEqual(by)) return;
        await Start(services);
        await services.Store.Commit(partition, [new Op.Upsert(key, by)]);
    }

    /// <summary>Each time one thing more is there.</summary>
    private const int MostMeetings = 200;
}
