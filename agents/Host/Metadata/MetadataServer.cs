using Cloud.Agents.Contract;
using Cloud.Agents.Host.Domains;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cloud.Agents.Host.Metadata;

/// <summary>
/// Answers guests. The proxy in each network sets X-Instance-ID from the address a request came from and drops what the guest
/// wrote there; only the proxies can reach the socket.
/// </summary>
public sealed class MetadataServer(MetadataTree tree, ISpecs specs, GuestNotes notes)
{
    /// <summary>As long as the encrypted password of a 4096 bit key in base64, and some.</summary>
    private const int MaxPassword = 1024;

    public void Map(WebApplication app) => app.Run(Answer);

    /// <summary>Answers the guest whose id stands in X-Instance-ID.</summary>
    public async Task Answer(HttpContext http)
    {
        http.Response.Headers.XContentTypeOptions = "nosniff";
        var values = http.Request.Headers["X-Instance-ID"];
        if (values.Count != 1 || !Ids.IsValid(values[0]) || specs.Get<EnsureDomain>($"domain/{values[0]}") is not { } wish)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var path = http.Request.Path.Value ?? "/";
        if (path.StartsWith("/openstack/", StringComparison.Ordinal) && path.TrimEnd('/').EndsWith("/password", StringComparison.Ordinal))
            await Password(http, wish.Domain.ServerId);
        else if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method))
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        else if (tree.Get(path, wish.Domain) is { } answer)
            await Send(http, answer);
        else
            http.Response.StatusCode = StatusCodes.Status404NotFound;
    }

    /// <summary>A guest may leave a password, encrypted for its owner's key, once.</summary>
    private async Task Password(HttpContext http, string serverId)
    {
        if (HttpMethods.IsGet(http.Request.Method))
        {
            await Send(http, new MetadataAnswer("text/plain", System.Text.Encoding.UTF8.GetBytes(notes.Password(serverId) ?? "")));
            return;
        }

        if (!HttpMethods.IsPost(http.Request.Method))
        {
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }

        var body = new byte[MaxPassword + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, http.RequestAborted);
        http.Response.StatusCode = length > MaxPassword ? StatusCodes.Status400BadRequest : notes.Password(serverId) is not null ? StatusCodes.Status409Conflict : StatusCodes.Status200OK;
        if (http.Response.StatusCode == StatusCodes.Status200OK)
            notes.Password(serverId, System.Text.Encoding.UTF8.GetString(body, 0, length));
    }

    private static async Task Send(HttpContext http, MetadataAnswer answer)
    {
        http.Response.ContentType = answer.Type;
        http.Response.ContentLength = answer.Bytes.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(answer.Bytes, http.RequestAborted);
    }
}
