using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.Hosting;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Simulation;

/// <summary>One process of the control plane, with all that production has in one. When it dies, what it was about to do is never done, and its locks run out.</summary>
public sealed class Process
{
    private const int AtOnce = 12;
    private static readonly TimeSpan LockFor = TimeSpan.FromSeconds(30);
    private readonly IReadOnlyDictionary<string, QueueTrigger> _triggers;
    private readonly Dictionary<string, Delivery> _inHand = [];
    private DateTimeOffset _still;

    public Process(SimCloud cloud, string name, Services like)
    {
        (Cloud, Name) = (cloud, name);
        var store = new SimStore(this, cloud.Store);
        Services = new()
        {
            Store = store, Bus = new SimBus(this, cloud.Bus), Blobs = like.Blobs, ImageStores = like.ImageStores, Confined = like.Confined, Objects = like.Objects, Outbound = like.Outbound, Clock = cloud.Wheel.Clock, Ids = cloud.Ids,
            Policy = like.Policy, Tokens = new Identity.Tokens(store, cloud.Wheel.Clock), Sagas = new(cloud.Slices.SelectMany(s => s.Sagas)), Settings = like.Settings, Slices = cloud.Slices,
        };
        Router = new(Services, (e, text) => Report(e, text));
        _triggers = Triggers.All(cloud.Slices).OfType<QueueTrigger>().ToDictionary(t => t.Queue);
    }

    public SimCloud Cloud { get; }
    public string Name { get; }
    public Services Services { get; }
    public Router Router { get; }
    public bool Dead { get; private set; }
    /// <summary>Those who wait for an answer hear of it.</summary>
    public event Action? OnDeath;
    public bool Busy => _inHand.Count >= AtOnce || Standing;
    public bool Idle => _inHand.Count == 0;
    private bool Standing => Cloud.Wheel.Now < _still;

    public void Die()
    {
        if (Dead) return;
        Dead = true;
        Cloud.Say($"{Name} dies");
        Cloud.Died(this);
        OnDeath?.Invoke();
    }

    /// <summary>Before a call of the store or the bus: time passes, and anything may happen.</summary>
    public async ValueTask Call()
    {
        var wheel = Cloud.Wheel;
        if (wheel.Maybe(Cloud.Now.Dies)) Die();
        if (wheel.Maybe(Cloud.Now.Stalls))
        {
            _still = wheel.Now + TimeSpan.FromSeconds(35 + wheel.Chance.Next(40));
            Cloud.Say($"{Name} stands still");
        }
        if (Dead || Standing || wheel.Chance.Next(3) == 0) await Pause(wheel.Skewed(Cloud.Now.Slow));
        if (Cloud.Out || wheel.Maybe(Cloud.Now.Fails))
        {
            Cloud.Say($"{Name} store fails");
            throw new StoreUnavailableException("simulated: not now");
        }
    }

    /// <summary>After a write.</summary>
    public async ValueTask Done()
    {
        var wheel = Cloud.Wheel;
        if (wheel.Maybe(Cloud.Now.Dies)) Die();
        if (Dead || wheel.Chance.Next(3) == 0) await Pause(wheel.Skewed(Cloud.Now.Slow));
        if (wheel.Maybe(Cloud.Now.SeemsToFail))
        {
            Cloud.Say($"{Name} store seems to fail");
            throw new StoreUnavailableException("simulated: nobody knows");
        }
    }

    private Task Pause(double seconds)
    {
        var done = new TaskCompletionSource();
        void Go()
        {
            if (Dead) return; // for ever
            if (Standing) Cloud.Wheel.In(_still - Cloud.Wheel.Now, Go);
            else Cloud.Wheel.End(done);
        }
        Cloud.Wheel.In(seconds, Go);
        return done.Task;
    }

    public async void Take(string queue, Delivery delivery)
    {
        _inHand[delivery.Lock] = delivery;
        try
        {
            if (queue == CloudEvent.Queue) Cloud.See(delivery);
            await _triggers[queue].Handle(Services, delivery, CancellationToken.None);
            if (!Cloud.Wheel.Maybe(Cloud.Now.Unsettled)) await Cloud.Bus.Complete(delivery);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Report(e, $"{queue} {delivery.Message.Id}");
            if (delivery.Attempt >= Platform.Local.QueueEngine.MaxAttempts) Cloud.Say($"{queue} {delivery.Message.Id} given up");
            await Cloud.Bus.Abandon(delivery, Pump.Pause(delivery.Attempt));
        }
        _inHand.Remove(delivery.Lock);
        Cloud.Look(queue, 0);
    }

    public async Task Timer(TimerTrigger timer)
    {
        try { await timer.Run(Services, CancellationToken.None); }
        catch (Exception e) when (e is not OperationCanceledException) { Report(e, timer.Name); }
    }

    /// <summary>As the pump does every ten seconds.</summary>
    public async void Renew()
    {
        if (Dead || Standing) return;
        foreach (var delivery in _inHand.Values.ToList()) await Cloud.Bus.Renew(delivery, LockFor);
    }

    private void Report(Exception e, string what)
    {
        // A saga that insists says so when no host with its network was heard of yet; that it is tried again until there is one, its end shows.
        if (e is not (StoreUnavailableException or ConflictException) && !(e is SagaFault && e.Message.StartsWith("No host is connected", StringComparison.Ordinal))) Cloud.Errors.Add($"{what}: {e}");
        Cloud.Say($"{Name} {what}: {e.GetType().Name} {e.Message}");
    }
}
