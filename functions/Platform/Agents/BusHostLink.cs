using Cloud.Agents.Contract;
using Cloud.Platform.State;

namespace Cloud.Platform.Agents;

/// <summary>A host's line within the control plane's own process: for simulated hosts.</summary>
public sealed class BusHostLink(Services services, string host) : IHostLink
{
    private long _sent;

    public async Task Run(Func<CommandMessage, CancellationToken, Task<CommandReply>> handle, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                foreach (var d in await services.Bus.Receive(Names.HostQueue(host), 32, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), ct))
                {
                    try
                    {
                        await Send(await handle(ContractJson.ReadCommand(d.Message.Body.Span), ct), ct);
                        await services.Bus.Complete(d, ct);
                    }
                    catch (IOException) { await services.Bus.Abandon(d, TimeSpan.FromSeconds(1), ct); }
                }
            }
            catch (OperationCanceledException) { return; }
        }
    }

    public async Task Send(HostMessage message, CancellationToken ct)
    {
        var id = $"{host}.{services.Ids.New()}.{Interlocked.Increment(ref _sent)}";
        while (true)
        {
            try
            {
                await Replies.Accept(services, message, id, ct);
                return;
            }
            catch (StoreUnavailableException) { await Task.Delay(TimeSpan.FromSeconds(1), services.Clock, ct); }
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
