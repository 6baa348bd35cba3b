namespace Cloud.Demo.Tools;

/// <summary>A login to the guest behind an address, from the internet, with the tenant's key.</summary>
public sealed class Guest(Stage stage, string address)
{
    public Task<Ran> Try(string command, int seconds = 30) => stage.Internet.Try(TimeSpan.FromSeconds(seconds), "ssh", "-i", stage.Made.KeyFile,
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", $"ConnectTimeout={seconds}", $"cirros@{address}", command);

    /// <exception cref="DemoFault">The login or the command failed.</exception>
    public async Task<string> Run(string command)
    {
        var ran = await Try(command);
        return ran.Code == 0 ? ran.Out.Trim() : throw new DemoFault($"'{command}' in the guest to work", $"exit code {ran.Code}, {ran.Out.Trim()} {ran.Error.Trim()}");
    }
}
