using Cloud.Agents.Contract;
using Cloud.Platform.Bus;
using Cloud.Platform.Rest;

namespace Cloud.Platform.Agents;

/// <summary>Commands on their way to hosts.</summary>
public static class Dispatch
{
    public static Message ToBus(CommandMessage command, DateTimeOffset? notBefore = null) =>
        new(Names.HostQueue(command.Host), command.Id, ContractJson.Write(command), NotBefore: notBefore);

    /// <summary>A command whose end nobody waits for; whoever needs it to have happened looks again later.</summary>
    public static Message Tell(Services s, string host, long fence, Command command) => ToBus(new(s.Ids.New(), host, fence, "", command));

    /// <summary>Asks a host something within a request; for what changes nothing.</summary>
    /// <exception cref="Fault">409 when the host refuses, 503 when it doesn't answer in time.</exception>
    public static async Task<Result?> Ask(Services s, string host, Command command, TimeSpan patience, CancellationToken ct)
    {
        var id = s.Ids.New();
        var queue = "answer." + id;
        await s.Bus.Send([ToBus(new(id, host, 0, Replies.ToQueue(queue), command))], ct);
        var answers = await s.Bus.Receive(queue, 1, TimeSpan.FromSeconds(30), patience, ct);
        if (answers.Count == 0) throw new Fault(503, "The host does not answer.") { Headers = [("Retry-After", "5")] };
        await s.Bus.Complete(answers[0], ct);
        var reply = (CommandReply)ContractJson.ReadHostMessage(answers[0].Message.Body.Span);
        return reply.Outcome == Outcome.Done ? reply.Result : throw new Fault(409, "The host could not do it.", reply.Message);
    }
}
