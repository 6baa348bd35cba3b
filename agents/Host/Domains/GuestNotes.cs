namespace Cloud.Agents.Host.Domains;

/// <summary>What must be remembered of a guest beside its specification.</summary>
public sealed class GuestNotes(Ledger ledger)
{
    /// <summary>The state last told to the control plane as the guest's own doing; null when it is as wished.</summary>
    public string? Told(string serverId) => ledger.Note($"told/{serverId}");

    public void Told(string serverId, string? state) => ledger.Note($"told/{serverId}", state);

    /// <summary>Nonce of the last restart that was done.</summary>
    public string? LastReboot(string serverId) => ledger.Note($"reboot/{serverId}");

    public void LastReboot(string serverId, string nonce) => ledger.Note($"reboot/{serverId}", nonce);

    /// <summary>The encrypted password that the guest posted for its owner.</summary>
    public string? Password(string serverId) => ledger.Note($"password/{serverId}");

    public void Password(string serverId, string password) => ledger.Note($"password/{serverId}", password);

    public void Forget(string serverId)
    {
        foreach (var kind in new[] { "told", "reboot", "password" })
            ledger.Note($"{kind}/{serverId}", null);
    }
}
