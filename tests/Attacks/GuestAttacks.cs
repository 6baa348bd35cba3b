using System.Text;
using System.Xml.Linq;
using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Disks;
using Cloud.Agents.Host.Domains;
using Cloud.Agents.Host.Linux;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>What guests and late messages may do to the host that they are on, and to who comes after them.</summary>
public sealed class GuestAttacks : IDisposable
{
    private const string Hostile = "x'/></disk>\n<disk type=\"block\"><source dev=\"/dev/sda\"/></disk>\"&lt;<!--";
    private readonly string _data = Directory.CreateTempSubdirectory("cs-guest-attack-").FullName;

    private HostOptions Options()
    {
        var options = new HostOptions { Name = "h1", Data = _data };
        foreach (var folder in (string[])[options.Disks, options.Images, options.Consoles]) Directory.CreateDirectory(folder);
        return options;
    }

    [Fact]
    public void A_command_of_an_older_owner_finds_the_thing_fenced_even_after_it_is_gone()
    {
        var path = Path.Combine(_data, "ledger");
        CommandMessage Say(string id, long fence, Command command) => new(id, "h1", fence, "replies", command);
        using (var ledger = new Ledger(path))
        {
            var made = Say("a", 1, new EnsureDisk("d", 1));
            Assert.True(ledger.Begin(made).Act);
            ledger.End(made, new("h1", "a", "replies", made.Command.Key, 1, Outcome.Done));
            var gone = Say("b", 2, new RemoveDisk("d"));
            Assert.True(ledger.Begin(gone).Act);
            ledger.End(gone, new("h1", "b", "replies", gone.Command.Key, 2, Outcome.Done));
        }
        // Another process, as after a kill: what is late or comes again makes nothing anew.
        using var again = new Ledger(path);
        Assert.Equal(Outcome.Stale, again.Begin(Say("a", 1, new EnsureDisk("d", 1))).Reply?.Outcome);
        Assert.Equal(Outcome.Stale, again.Begin(Say("c", 1, new EnsureDisk("d", 1))).Reply?.Outcome);
        Assert.Equal(Outcome.Done, again.Begin(Say("b", 2, new RemoveDisk("d"))).Reply?.Outcome);
        Assert.True(again.Begin(Say("d", 3, new EnsureDisk("d", 1))).Act);
    }

    [Fact]
    public async Task A_new_disk_reads_as_zeros_where_anothers_was_before()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-io"), "needs Debian's qemu-utils");
        var (tool, ct) = (new Tool(), TestContext.Current.CancellationToken);
        var disks = new DiskFiles(Options(), tool);
        for (var tenant = 0; tenant < 2; tenant++)
        {
            await disks.Create("disk", 1 << 20, ct);
            var seen = Path.Combine(_data, "seen");
            await tool.Run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", disks.File("disk"), seen], ct);
            var bytes = await File.ReadAllBytesAsync(seen, ct);
            Assert.Equal(1 << 20, bytes.Length);
            Assert.DoesNotContain(bytes, b => b != 0);
            await tool.Run("qemu-io", ["-f", "qcow2", "-c", "write -P 0x5a 0 1M", disks.File("disk")], ct);
            Durable.Delete(disks.File("disk"));
        }
    }

    [Fact]
    public void A_console_without_end_is_kept_to_its_end_and_interprets_nothing()
    {
        var options = Options();
        var consoles = new Consoles(options);
        var file = consoles.File("guest");
        var said = Encoding.UTF8.GetBytes("\u001b]0;owned\u0007\u001b[2J<script>alert(1)</script>\0\n");
        for (var written = 0; written < 8 << 20; written += said.Length * 1000)
        {
            using (var log = new FileStream(file, FileMode.Append)) for (var i = 0; i < 1000; i++) log.Write(said);
            consoles.Trim();
            Assert.InRange(new DirectoryInfo(options.Consoles).EnumerateFiles().Sum(f => f.Length), 1, 2 * Consoles.Kept + (said.Length * 1000));
        }
        var text = consoles.Read("guest", null);
        Assert.InRange(System.Text.Json.JsonEncodedText.Encode(text).EncodedUtf8Bytes.Length, 1, Consoles.MaxReply);
        // As text in JSON: no byte of it is a terminal's or a browser's.
        Assert.DoesNotContain("\u001b", System.Text.Json.JsonSerializer.Serialize(text), StringComparison.Ordinal);
        Assert.DoesNotContain("<script", System.Text.Json.JsonSerializer.Serialize(text), StringComparison.Ordinal);
        Assert.Equal(2, consoles.Read("guest", 2).Count(c => c == '\n'));
    }

    [Fact]
    public void No_text_adds_an_element_to_a_guests_document()
    {
        var document = new DomainDocument(Options(), kvm: false);
        string Text(string word) => document.Domain(new("s", "p", word, 1, 128, [new("d", word, word)], [new("port", word, 1500)], PowerState.Running, new(word, word, word, word, new() { [word] = word }, word, word)));
        IEnumerable<string> Elements(string word) => XDocument.Parse(Text(word)).Descendants().Select(e => $"{e.Name} {string.Join(' ', e.Attributes().Select(a => a.Name))}");
        Assert.Equal(Elements("word"), Elements(Hostile));
        foreach (var id in (string[])["../../etc/passwd", "a/b", "a\nb", "a'b", ""]) Assert.ThrowsAny<Exception>(() => document.DiskFile(id));
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);
}
