using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Cloud.Tests.Kit;

/// <summary>What a RabbitMQ has before anybody comes: queues that are there for ever, users and what they may, and answers' queues that nobody waits at any more going after a while.</summary>
/// <param name="Queues">Durable.</param>
/// <param name="Users">Passwords, and which names of queues they may read and write: an expression. RabbitMQ lets whoever may send to one queue send to all.</param>
public sealed record BrokerPlan(IReadOnlyList<string> Queues, IReadOnlyList<(string Name, string Password, string May)> Users)
{
    private static readonly TimeSpan AnswersLast = TimeSpan.FromMinutes(10);

    /// <summary>In the form of RabbitMQ's definitions.</summary>
    public override string ToString() => JsonSerializer.Serialize(new
    {
        vhosts = new[] { new { name = "/" } },
        users = Users.Select(u => new { name = u.Name, password_hash = Hash(u.Password), hashing_algorithm = "rabbit_password_hashing_sha256", tags = "" }),
        permissions = Users.Select(u => new { user = u.Name, vhost = "/", configure = u.May, write = $"{u.May}|amq\\.default", read = u.May }),
        policies = new[] { new Dictionary<string, object> { ["vhost"] = "/", ["name"] = "answers", ["pattern"] = "^answer\\.", ["apply-to"] = "queues", ["priority"] = 0, ["definition"] = new { expires = (int)AnswersLast.TotalMilliseconds } } },
        queues = Queues.Select(q => new { name = q, vhost = "/", durable = true, auto_delete = false, arguments = new { } }),
    });

    private static string Hash(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(4);
        return Convert.ToBase64String([.. salt, .. SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(password)])]);
    }
}
