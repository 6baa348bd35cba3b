using System.Diagnostics;
using Cloud.Agents.Contract;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host;

/// <summary>
/// Carries out commands: one at a time per key, several keys at once. The fence is on disk before anything happens,
/// the reply before it is sent.
/// </summary>
public sealed class Inbox(Ledger ledger, HandlerTable handlers, KeyLock keys, int parallel, ILogger log)
{
    private readonly SemaphoreSlim slots = new(parallel);

    public InHand InHand { get; } = new();

    /// <summary>Ends in a reply whatever happens, except when <paramref name="ct"/> is cancelled: then the command must come again.</summary>
    public async Task<CommandReply> Handle(CommandMessage message, CancellationToken ct)
    {
        // The slot first: whoever holds a key, or what a handler locks beyond it, can then always go on.
        await slots.WaitAsync(ct);
        try
        {
            using var key = await keys.Take(message.Command.Key, ct);
            using var work = InHand.Begin(message.Command.Key);
            using var span = Tracing.Begin(message.Command.GetType().Name, ActivityKind.Consumer, message.Trace);
            span?.SetTag("cloud.key", message.Command.Key);
            var reply = await Carry(message, ct);
            span?.SetStatus(reply.Outcome == Outcome.Failed ? ActivityStatusCode.Error : ActivityStatusCode.Ok);
            return reply;
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task<CommandReply> Carry(CommandMessage message, CancellationToken ct)
    {
        // Reading changes nothing, so there is nothing to guard or to remember.
        if (message.Command is ReadConsole)
            return await Do(message, ct);

        var verdict = ledger.Begin(message);
        if (verdict.Reply is { } known)
            return known;

        var reply = await Do(message, ct);
        ledger.End(message, reply);
        return reply;
    }

    private async Task<CommandReply> Do(CommandMessage message, CancellationToken ct)
    {
        var reply = new CommandReply(message.Host, message.Id, message.ReplyTo, message.Command.Key, message.Fence, Outcome.Done);
        try
        {
            return reply with { Result = await handlers.Handle(message.Command, ct) };
        }
        catch (Exception) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(ct);
        }
        catch (Exception e)
        {
            var (text, retry) = Explain(e);
            log.LogWarning("{Command} {Key} failed: {Message}", message.Command.GetType().Name, message.Command.Key, text);
            if (e is not (HandlerFault or RpcException or IOException))
                log.LogError(e, "{Key}", message.Command.Key);
            return reply with { Outcome = Outcome.Failed, Message = text, Retry = retry };
        }
    }

    private static (string Message, bool Retry) Explain(Exception e) => e switch
    {
        HandlerFault fault => (fault.Message, fault.Retry),
        RpcException { StatusCode: StatusCode.InvalidArgument } rpc => ($"libvirt refuses: {rpc.Status.Detail}", false),
        RpcException rpc => ($"libvirt: {rpc.StatusCode} {rpc.Status.Detail}", true),
        _ => ($"{e.GetType().Name}: {e.Message}", true),
    };
}
