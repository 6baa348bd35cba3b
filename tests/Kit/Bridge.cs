using System.Text;

namespace Cloud.Tests.Kit;

/// <summary>Lets one test cloud reach another over its made-up internet, at http://NAME.</summary>
public static class Bridge
{
    public static void Open(TestCloud from, TestCloud to, string name, string address)
    {
        from.Internet.Name(name, address);
        from.Internet.Server(address + ":80", request => [Answer(to, request)]);
    }

    /// <param name="request">As it came over the wire, a character for each byte.</param>
    private static byte[] Answer(TestCloud cloud, string request)
    {
        var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var lines = request[..end].Split("\r\n");
        var (method, target) = (lines[0].Split(' ')[0], lines[0].Split(' ')[1]);
        var headers = lines[1..].Select(l => l.Split(": ", 2)).Select(h => (h[0], Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(h[1])))).ToArray();
        using var body = new MemoryStream(Encoding.Latin1.GetBytes(request[(end + 4)..]));
        var answer = cloud.Stream(method, target, null, body, headers).GetAwaiter().GetResult();
        var bytes = method == "HEAD" || answer.Status == 204 ? [] : Encoding.UTF8.GetBytes(answer.Text);
        var told = answer.Headers.Where(h => h.Key is not "Content-Length").Select(h => $"{h.Key}: {h.Value}\r\n");
        return [.. Encoding.UTF8.GetBytes($"HTTP/1.1 {answer.Status} Said\r\n{string.Concat(told)}Content-Length: {bytes.Length}\r\n\r\n"), .. bytes];
    }
}
