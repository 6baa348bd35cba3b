using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <summary>
/// Marks what this agent makes in the kernel as its own, so that it never takes another agent's for a leftover:
/// the alias of an interface, the name of its rule set.
/// </summary>
public sealed class Marks(HostOptions options)
{
    public const string Network = "network", Port = "port", Router = "router";
    private readonly string owner = Names.Short(options.Data);

    public Word Table => "cs_" + owner;

    public Word Alias(string kind, string id) => $"{Prefix}{kind}/{Ids.Check(id)}";

    /// <summary>Whose interface it is, e.g. (port, id); null when it isn't ours.</summary>
    public (string Kind, string Id)? Of(Interface found) =>
        found.Alias?.StartsWith(Prefix, StringComparison.Ordinal) == true && found.Alias[Prefix.Length..].Split('/') is [var kind, var id] ? (kind, id) : null;

    private string Prefix => $"cs:{owner}:";
}
