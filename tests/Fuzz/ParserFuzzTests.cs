using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cloud.Agents.Contract;
using Cloud.Image;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;
using Cloud.Tests.Unit.ObjectStorage;
using Xunit;
using Outcome = Cloud.Agents.Contract.Outcome;

namespace Cloud.Tests.Fuzz;

/// <summary>Whatever is read byte by byte and isn't JSON: disks, archives, forms, manifests, ranges, signed chunks, packed numbers, frames of hosts.</summary>
public sealed class ParserFuzzTests
{
    private static readonly int Times = 10 * (int.TryParse(Environment.GetEnvironmentVariable("CS_FUZZ"), CultureInfo.InvariantCulture, out var n) ? n : 12);
    private static readonly int First = int.TryParse(Environment.GetEnvironmentVariable("CS_FUZZ_SEED"), CultureInfo.InvariantCulture, out var n) ? n : 1;
    private static readonly string[] Words = ["x", "c", "o", "bytes", "cpu", "RW", "SPARSE", "boundary", "value", "and", "not", "in"];

    private static IEnumerable<(int Seed, byte[] Bytes)> Spoilt(params byte[][] seeds)
    {
        for (var i = First; i < First + Times; i++)
        {
            var mutator = new Mutator(new Random(i), Words);
            yield return (i, mutator.Bytes(mutator.Any(seeds)));
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static readonly DateTimeOffset s_then = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static byte[] Tar(Action<TarWriter> write, bool zipped = false)
    {
        using var memory = new MemoryStream();
        using (Stream target = zipped ? new GZipStream(memory, CompressionLevel.Fastest, leaveOpen: true) : memory)
        using (var tar = new TarWriter(target, TarEntryFormat.Pax, leaveOpen: !zipped)) write(tar);
        return memory.ToArray();
    }

    private static void Entries(TarWriter tar)
    {
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "a/b.txt", new Dictionary<string, string> { ["SCHILY.xattr.user.mime_type"] = "text/x", ["SCHILY.xattr.user.meta.k"] = "v" }) { ModificationTime = s_then, DataStream = new MemoryStream(Bytes("hello")) });
        tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "link") { ModificationTime = s_then, LinkName = "/etc/passwd" });
    }

    [Fact]
    public void Heads_of_disks_are_judged_whatever_they_hold()
    {
        var vhd = new byte[1024];
        Bytes("conectix").CopyTo(vhd, 0);
        vhd.Put64(48, 1 << 20);
        byte[][] seeds = [ImageBytes.Qcow2(), ImageBytes.Qcow2(version: 2), ImageBytes.Vmdk("monolithicSparse", "RW 2048 SPARSE \"x.vmdk\""), vhd, Bytes("QED\0"), new byte[600]];
        foreach (var (seed, bytes) in Spoilt(seeds))
            foreach (var format in (string[])["qcow2", "raw", "vmdk", "vhd", "vdi", "iso"])
                try { Assert.True(ImageFormat.Inspect(bytes.AsSpan(0, Math.Min(bytes.Length, ImageFormat.MaxHead)), bytes.Length, format) is null or >= 0); }
                catch (InvalidDataException) { /* refused, with a reason */ }
                catch (Exception e) when (e is not Xunit.Sdk.XunitException) { Assert.Fail($"CS_FUZZ_SEED={seed} {format}: {e}"); }
    }

    [Fact]
    public void Ranges_lie_within_what_there_is()
    {
        foreach (var (seed, bytes) in Spoilt(Bytes("bytes=0-99,200-,-5"), Bytes("bytes=0-")))
            foreach (var size in (long[])[0, 1, 100, long.MaxValue])
                foreach (var range in ByteRange.Parse(Encoding.UTF8.GetString(bytes), size) ?? [])
                    Assert.True(range.From >= 0 && range.Length > 0 && range.From <= size - range.Length, $"CS_FUZZ_SEED={seed}: {range} of {size}");
    }

    public static TheoryData<string> Bodies => [.. Parsers.Keys];

    private sealed record Parser(string Method, string Path, byte[][] Seeds, params (string, string)[] Headers);

    private static readonly Dictionary<string, Parser> Parsers = new()
    {
        ["archive"] = new("PUT", "/c?extract-archive=tar", [Tar(Entries)]),
        ["packed archive"] = new("PUT", "/c?extract-archive=tar.gz", [Tar(Entries, zipped: true)]),
        ["names to delete"] = new("POST", "?bulk-delete", [Bytes("c/o\nc/%20\nother\n")], ("Content-Type", "text/plain")),
        ["manifest"] = new("PUT", "/c/big?multipart-manifest=put", [Bytes("""[{"path":"/c/o","etag":"5d41402abc4b2a76b9719d911017c592","size_bytes":5,"range":"1-3"},{"data":"AAAA"}]""")]),
        ["form"] = new("POST", "/c/up-", [Bytes("--B\r\nContent-Disposition: form-data; name=\"expires\"\r\n\r\n9999999999\r\n--B\r\nContent-Disposition: form-data; name=\"max_file_count\"\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\nContent-Type: text/x\r\n\r\nhello\r\n--B--\r\n")], ("Content-Type", "multipart/form-data; boundary=B")),
        ["samples of InfluxDB"] = new("POST", "/metric/v1/influxdb/write?db=influxdb", [Bytes("cpu,host=a,x=y value=1,other=2i,s=\"q w\" 1510581804179554816\nmem,host=a used=3 1")], ("Content-Type", "application/octet-stream")),
        ["samples of Prometheus"] = new("POST", "/metric/v1/prometheus/write", [Convert.FromHexString("1c6c0a1a0a0d0a085f5f6e616d655f5f12016d120909000000000000f03f1001"), Convert.FromHexString("0a240a08")], ("Content-Type", "application/x-protobuf")),
        ["names of S3 to delete"] = new("POST", "s3:/c?delete", [Bytes("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>false</Quiet><Object><Key>o</Key><VersionId>null</VersionId></Object></Delete>")]),
        ["parts of S3"] = new("POST", "s3:/c/o?uploadId=x", [Bytes("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"x\"</ETag></Part></CompleteMultipartUpload>")]),
        ["rights of S3"] = new("PUT", "s3:/c?acl", [Bytes("<AccessControlPolicy><Owner><ID>x</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\"><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>")]),
        ["signed chunks of S3"] = new("PUT", "s3:/c/chunked", [Bytes("5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n"), Bytes("fffffffffffffffff;chunk-signature=\r\n")], ("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), ("X-Amz-Decoded-Content-Length", "5")),
    };

    [Theory, MemberData(nameof(Bodies))]
    public async Task Bodies_are_taken_or_refused(string what)
    {
        await using var shop = await Shop.Open("c");
        await shop.Put("/c/o", "hello");
        var (s3, parser) = (await S3Client.For(shop.Cloud), Parsers[what]);
        foreach (var (seed, bytes) in Spoilt(parser.Seeds))
        {
            using var body = new MemoryStream(bytes);
            var answer = parser.Path.StartsWith("s3:", StringComparison.Ordinal)
                ? await s3.Send(parser.Method, parser.Path[3..], Encoding.Latin1.GetString(bytes), parser.Headers.FirstOrDefault(h => h.Item1 == "X-Amz-Content-Sha256").Item2, [.. parser.Headers.Where(h => h.Item1 != "X-Amz-Content-Sha256")])
                : await shop.Cloud.Stream(parser.Method, (parser.Path.StartsWith("/metric", StringComparison.Ordinal) ? "" : shop.Account) + parser.Path, await shop.Cloud.Token("demo"), body, [("Content-Length", bytes.Length.ToString(CultureInfo.InvariantCulture)), .. parser.Headers]);
            Assert.True(answer.Status is >= 200 and < 500 or 501 or 503 && shop.Cloud.Errors.Count == 0, $"CS_FUZZ_SEED={seed}: {answer.Status} {answer.Text}\n{string.Join('\n', shop.Cloud.Errors)}\n{Encoding.UTF8.GetString(bytes)}");
        }
        await shop.Cloud.Drain();
        Assert.Empty(shop.Cloud.Errors);
        Assert.Equal("hello", (await shop.Get("/c/o")) is { Length: 5 } text ? text : "hello"); // it may have been deleted, never changed
    }

    [Fact]
    public async Task Frames_of_hosts_end_their_own_connection_at_most()
    {
        await using var lab = await HostLab.Start();
        var login = Bytes($"\0host.{HostLab.Host}\0{lab.Secret}");
        // Headers, the login, and what an honest client says next: open, begin, attach, flow, transfer.
        byte[] sasl = [.. "AMQP"u8, 3, 1, 0, 0], plain = [.. "AMQP"u8, 0, 1, 0, 0];
        byte[] init = Frame(1, [0x00, 0x53, 0x41, 0xc0, (byte)(login.Length + 10), 2, 0xa3, 5, .. "PLAIN"u8, 0xa0, (byte)login.Length, .. login]);
        byte[] nothing = [0x40], zero = [0x43], one = [0x52, 1], nine = [0x52, 9];
        byte[][] said =
        [
            Frame(0, Of(0x10, Text("x"), nothing, [0x70, 0, 0, 0x10, 0])), Frame(0, Of(0x11, nothing, one, nine, nine)),
            Frame(0, Of(0x12, Text("l"), zero, [0x41], nothing, nothing, Of(0x28, Text(Names.HostQueue(HostLab.Host))), Of(0x29, nothing))), Frame(0, Of(0x13, nothing, nine, one, nine, zero, zero, nine)),
        ];
        foreach (var i in Enumerable.Range(First, Times))
        {
            var mutator = new Mutator(new Random(i), Words);
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, lab.Listener.Address.Port);
            var line = socket.GetStream();
            byte[][] parts = [sasl, init, plain, .. said];
            var at = mutator.Below(parts.Length);
            parts[at] = mutator.Bytes(parts[at]);
            try
            {
                await line.WriteAsync(parts.SelectMany(p => p).ToArray());
                socket.Client.Shutdown(SocketShutdown.Send);
                // Until the listener has had enough of it.
                await line.CopyToAsync(Stream.Null);
            }
            catch (Exception e) when (e is IOException or SocketException) { /* cut off */ }
        }
        // An honest host still gets its work done.
        using var stop = new CancellationTokenSource();
        var run = lab.Link().Run((m, _) => Task.FromResult(new CommandReply(HostLab.Host, m.Id, m.ReplyTo, "", m.Fence, Outcome.Done)), stop.Token);
        await lab.Command("c1");
        await lab.Bus.Next("complete c1");
        await stop.CancelAsync();
        await run;
    }

    /// <summary>Open, begin, attach, flow, source, target: described lists by their codes. AMQP 1.0, part 2, section 7.</summary>
    private static byte[] Of(byte code, params byte[][] fields) => [0, 0x53, code, 0xc0, (byte)(fields.Sum(f => f.Length) + 1), (byte)fields.Length, .. fields.SelectMany(f => f)];

    private static byte[] Text(string text) => [0xa1, (byte)text.Length, .. Bytes(text)];

    private static byte[] Frame(byte type, byte[] body) => [.. BitConverter.GetBytes(body.Length + 8).Reverse(), 2, type, 0, 0, .. body];
}
