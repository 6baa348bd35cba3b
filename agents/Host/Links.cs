using Cloud.Agents.Contract;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host;

/// <summary>The agent's line to the control plane.</summary>
public static class Links
{
    public static IHostLink Open(HostOptions options, ILoggerFactory logs) =>
#if HOST_LINK
        new HostLink(options.Control, options.Name, options.CredentialFile, logs);
#else
        throw new IOException("this build has no line to a control plane");
#endif
}
