using Azure.Core;
using Azure.Identity;
using Cloud.Platform;
using Cloud.Platform.Blobs;
using Cloud.Platform.Bus;
using Cloud.Platform.Bus.Brokers;
using Cloud.Platform.Hosting;
using Cloud.Platform.Local;
using Cloud.Platform.State;
using Cloud.Platform.Tables;

namespace Cloud;

/// <summary>Where a custom handler keeps what must last, as its environment says. With all of it elsewhere the process has no state at all: any instance does any step.</summary>
internal sealed class HandlerPlaces : IAsyncDisposable
{
    private readonly LocalState? _local;
    private readonly AmqpBus? _broker;

    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public HandlerPlaces(Func<string, string?> environment, TimeProvider clock, IIds ids, ILogger log)
    {
        var (tables, bus, blobs, password) = (environment(CustomHandler.Tables), environment(CustomHandler.Bus), environment(CustomHandler.Blobs), environment(CustomHandler.AdminPassword));
        // Made when the first place is an address without a key: a start without such waits for none of it.
        var identity = new Lazy<TokenCredential>(() => Identity(environment(CustomHandler.Client)));
        if (bus is not null && tables is null) throw new ArgumentException($"{CustomHandler.Bus} needs {CustomHandler.Tables}: the state in a file sends its messages by itself");
        if (tables is null || bus is null || blobs is null || password is null)
        {
            Data = environment(CustomHandler.Data) ?? throw new ArgumentException($"{CustomHandler.Data} must name a directory, unless {CustomHandler.Tables}, {CustomHandler.Bus}, {CustomHandler.Blobs} and {CustomHandler.AdminPassword} say where everything is");
            Directory.CreateDirectory(Data);
            File.SetUnixFileMode(Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        if (bus is null) _local = LocalState.Open(Path.Combine(Data!, "state.db"), clock);
        else _broker = new(Broker.Parse(bus, () => identity.Value), clock, ids, log, Triggers.All(Slices.All).OfType<QueueTrigger>().Where(t => t.Sessions).Select(t => t.Queue).ToHashSet());
        Bus = (IBus?)_broker ?? _local!.Bus;
        Store = tables is not null ? new TableStore(new(tables, "cloud", clock, () => identity.Value), Bus, clock, ids) : _local!.Store;
        Door = _local is null ? null : new(_local.Bus, Credentials.Secret(Data!, "bus-key"));
        Images = blobs is null ? new FileBlobs(Path.Combine(Data!, "blobs")) : new AzureBlobs(blobs, "cloud", () => identity.Value);
        // A storage account keeps copies itself.
        Objects = settings => blobs is null ? ObjectStores.Of(settings, [], Data!) : new([new BlobReplica("account", new AzureBlobs(blobs, "objects", () => identity.Value))], 1);
        Password = password ?? Credentials.Secret(Data!, "admin-password");
        DemoPassword = Data is null ? null : Credentials.Secret(Data, "demo-password");
    }

    /// <summary>Null when nothing is kept here.</summary>
    public string? Data { get; }
    public IBus Bus { get; }
    public IEntityStore Store { get; }
    public IBlobStore Images { get; }
    public Func<Settings, ReplicatedBlobs> Objects { get; }
    public string Password { get; }
    public string? DemoPassword { get; }
    /// <summary>To a bus that is in this process's file; null where a broker is the bus.</summary>
    public BusDoor? Door { get; }

    // https://learn.microsoft.com/azure/app-service/overview-managed-identity: which of the app's identities, where it has one of its own making.
    private static ManagedIdentityCredential Identity(string? client) => new(string.IsNullOrEmpty(client) ? ManagedIdentityId.SystemAssigned : ManagedIdentityId.FromUserAssignedClientId(client));

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null) await _broker.DisposeAsync();
        _local?.Dispose();
    }
}
