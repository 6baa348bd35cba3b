using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace Cloud.Tests.Kit;

/// <summary>Names, addresses and HTTP servers made of functions. Says which addresses were connected to and what was sent.</summary>
public sealed class FakeInternet(FakeTimeProvider clock)
{
    private readonly Dictionary<string, Queue<IPAddress[]>> _names = [];
    private readonly Dictionary<IPEndPoint, Func<string, IEnumerable<byte[]>>> _servers = [];
    private readonly TaskCompletionSource _silent = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public List<IPEndPoint> Connected { get; } = [];
    public List<string> Sent { get; } = [];
    /// <summary>Ends when a server that never answers was asked.</summary>
    public Task Silent => _silent.Task;

    /// <summary>What the name says at the first look, the second...; the last stays.</summary>
    public void Name(string name, params string[] looks) => _names[name] = new(looks.Select(l => l.Split(' ').Select(IPAddress.Parse).ToArray()));

    public void Server(string endpoint, Func<string, IEnumerable<byte[]>> answer) => _servers[IPEndPoint.Parse(endpoint)] = answer;
    public void Server(string endpoint, string answer) => Server(endpoint, _ => [Encoding.ASCII.GetBytes(answer)]);

    public Task<IPAddress[]> Resolve(string name, CancellationToken ct) =>
        !_names.TryGetValue(name, out var looks) ? Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound))
        : Task.FromResult(looks.Count > 1 ? looks.Dequeue() : looks.Peek());

    public Task<Stream> Connect(IPEndPoint to, CancellationToken ct)
    {
        lock (Connected) Connected.Add(to);
        return _servers.TryGetValue(to, out var answer) ? Task.FromResult<Stream>(new Wire(this, answer)) : Task.FromException<Stream>(new SocketException((int)SocketError.ConnectionRefused));
    }

    public static string Ok(string body, string headers = "") => $"HTTP/1.1 200 OK\r\n{headers}Content-Length: {body.Length}\r\n\r\n{body}";
    public static string Redirect(string to, int status = 302) => $"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n";

    /// <summary>Headers, then pieces of which each takes a while to come.</summary>
    public IEnumerable<byte[]> Slowly(string headers, TimeSpan each, int bytes, int times)
    {
        yield return Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{headers}\r\n");
        for (var i = 0; i < times; i++)
        {
            clock.Advance(each);
            yield return new byte[bytes];
        }
    }

    private sealed class Wire(FakeInternet net, Func<string, IEnumerable<byte[]>> answer) : Stream
    {
        private readonly StringBuilder _request = new();
        private IEnumerator<byte[]>? _answer;
        private ReadOnlyMemory<byte> _piece;
        private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override void Dispose(bool disposing)
        {
            _closed.TrySetResult();
            base.Dispose(disposing);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _request.Append(Encoding.Latin1.GetString(buffer.Span));
            return ValueTask.CompletedTask;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.Length == 0) return 0;
            if (_answer is null)
            {
                lock (net.Sent) net.Sent.Add(_request.ToString());
                _answer = answer(_request.ToString()).GetEnumerator();
            }
            while (_piece.Length == 0)
            {
                if (!_answer.MoveNext()) return 0;
                if (_answer.Current.Length == 0)
                {
                    net._silent.TrySetResult();
                    await _closed.Task.WaitAsync(cancellationToken);
                    throw new IOException("closed");
                }
                _piece = _answer.Current;
            }
            var n = Math.Min(buffer.Length, _piece.Length);
            _piece[..n].CopyTo(buffer);
            _piece = _piece[n..];
            return n;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => _request.Append(Encoding.Latin1.GetString(buffer, offset, count));
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
