using Cloud.Agents.Contract;

namespace Cloud.Agents.Host.Disks;

/// <summary>Where the bytes of images come from.</summary>
public interface IImageSource
{
    Task<Stream> Open(EnsureImage image, CancellationToken ct);
}

/// <summary>The control plane's own address. The host's credential goes nowhere else.</summary>
public sealed class ImageSource(HostOptions options) : IImageSource, IDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        UseProxy = false,
    })
    { Timeout = TimeSpan.FromSeconds(30) };

    public async Task<Stream> Open(EnsureImage image, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Address(image.Url));
        request.Headers.Add("X-Host", options.Name);
        if (options.CredentialFile.Length > 0)
            request.Headers.Add("X-Host-Credential", (await File.ReadAllTextAsync(options.CredentialFile, ct)).Trim());
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        }
        catch (HttpRequestException e)
        {
            throw new HandlerFault($"the control plane does not give image {image.ImageId}: {e.HttpRequestError}", retry: true, e);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new HandlerFault($"the control plane does not give image {image.ImageId}: no answer", retry: true);
        }

        if (response.IsSuccessStatusCode)
            return await response.Content.ReadAsStreamAsync(ct);
        response.Dispose();
        throw new HandlerFault($"the control plane does not give image {image.ImageId}: {(int)response.StatusCode}", retry: (int)response.StatusCode is >= 500 or 429 or 401);
    }

    public void Dispose() => http.Dispose();

    private Uri Address(string url)
    {
        var home = new Uri(options.ControlHttp, UriKind.Absolute);
        var address = new Uri(home, url);
        return Uri.Compare(home, address, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0
            ? address
            : throw new HandlerFault("the address of an image is not the control plane's", retry: false);
    }
}
