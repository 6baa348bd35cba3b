using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

public sealed class BulkTests
{
    private static MemoryStream Archive(string format, params (string Name, string Text)[] files) => Archive(format, "red", files);

    private static MemoryStream Archive(string format, string colour, params (string Name, string Text)[] files)
    {
        var bytes = new MemoryStream();
        Stream packer = format switch
        {
            "tar.gz" => new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true),
            "tar.bz2" => SharpCompress.Compressors.BZip2.BZip2Stream.Create(bytes, SharpCompress.Compressors.CompressionMode.Compress, false, leaveOpen: true),
            _ => bytes,
        };
        using (var tar = new TarWriter(packer, TarEntryFormat.Pax, leaveOpen: packer == bytes))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "folder/"));
            foreach (var (name, text) in files)
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name, new Dictionary<string, string> { ["SCHILY.xattr.user.meta.colour"] = colour }) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }
        bytes.Position = 0;
        return bytes;
    }

    private static async Task<Answer> Send(Shop shop, string path, Stream body) => await shop.Cloud.Stream("PUT", shop.Account + path, await shop.Cloud.Token("demo"), body, ("Accept", "application/json"));

    [Theory]
    [InlineData("tar")]
    [InlineData("tar.gz")]
    [InlineData("tar.bz2")]
    public async Task An_archive_becomes_objects_in_containers_that_are_made_for_it(string format)
    {
        await using var shop = await Shop.Open("old");
        using var archive = Archive(format, ("new/a.txt", "one"), ("./old/b/c", "two"), ("alone", "three"));
        var answer = await Send(shop, $"?extract-archive={format}", archive);
        Assert.Equal((200, 2, "400 Bad Request", "alone"), (answer.Status, answer.Body.GetProperty("Number Files Created").GetInt32(), answer.Body.GetProperty("Response Status").GetString(), answer.Body.GetProperty("Errors")[0][0].GetString()));
        Assert.Equal(("one", "two"), (await shop.Get("/new/a.txt"), await shop.Get("/old/b/c")));
        Assert.Equal(("text/plain", "red"), (shop.Cloud.Store.All.Where(r => r.Key.StartsWith("o|", StringComparison.Ordinal)).Select(r => Cloud.Platform.State.Json.Read<global::Cloud.ObjectStorage.StoredObject>(r.Body)).Single(o => o.Name == "a.txt").ContentType, (await shop.Do("HEAD", "/new/a.txt")).Headers["X-Object-Meta-colour"]));
    }

    [Fact]
    public async Task Below_a_path_all_files_go_there()
    {
        await using var shop = await Shop.Open("c");
        using var archive = Archive("tar", ("a", "one"));
        Assert.Equal("201 Created", (await Send(shop, "/c/below?extract-archive=tar", archive)).Body.GetProperty("Response Status").GetString());
        Assert.Equal("one", await shop.Get("/c/below/a"));
    }

    [Fact]
    public async Task What_an_archive_says_of_its_files_has_the_limits_of_headers()
    {
        await using var shop = await Shop.Open("c");
        using var archive = Archive("tar", new string('r', 300), ("a", "one"));
        var answer = await Send(shop, "/c?extract-archive=tar", archive);
        Assert.Equal((0, "400 Bad Request"), (answer.Body.GetProperty("Number Files Created").GetInt32(), answer.Body.GetProperty("Errors")[0][1].GetString()));
        Assert.Equal("", await shop.Get("/c"));
    }

    [Fact]
    public async Task What_is_no_archive_is_said_so_and_stores_nothing()
    {
        await using var shop = await Shop.Open("c");
        using var rubbish = new MemoryStream(Encoding.UTF8.GetBytes(new string('x', 2000)));
        Assert.Equal("400 Bad Request", (await Send(shop, "/c?extract-archive=tar", rubbish)).Body.GetProperty("Response Status").GetString());
        Assert.Equal(400, (await Send(shop, "/c?extract-archive=tar.bz2", new MemoryStream("no archive"u8.ToArray()))).Status);
        Assert.Equal(400, (await Send(shop, "/c?extract-archive=zip", new MemoryStream())).Status);
        Assert.Equal(401, (await shop.Stranger("PUT", "?extract-archive=tar")).Status);
        Assert.Equal("", await shop.Get("/c"));
        Assert.Empty(shop.Cloud.Errors);
    }

    [Fact]
    public async Task Many_are_deleted_at_once_and_failures_are_told_one_by_one()
    {
        await using var shop = await Shop.Open("c", "full");
        foreach (var o in new[] { "/c/a b", "/c/d/e", "/full/x" }) await shop.Put(o.Replace(" ", "%20", StringComparison.Ordinal), "x");
        var answer = await shop.Do("POST", "?bulk-delete", "/c/a%20b\nc/d/e\n\nc/nothing\nfull\nc", ("Accept", "application/json"));
        Assert.Equal((200, 3, 1, "400 Bad Request"), (answer.Status, answer.Body.GetProperty("Number Deleted").GetInt32(), answer.Body.GetProperty("Number Not Found").GetInt32(), answer.Body.GetProperty("Response Status").GetString()));
        Assert.Equal(("full", "409 Conflict"), (answer.Body.GetProperty("Errors")[0][0].GetString(), answer.Body.GetProperty("Errors")[0][1].GetString()));
        Assert.Equal("full\n", await shop.Get(""));
        Assert.Contains("<number_deleted>1</number_deleted>", (await shop.Do("DELETE", "?bulk-delete", "full/x", ("Accept", "application/xml"))).Text, StringComparison.Ordinal);
        Assert.Contains("Response Status: 400 Bad Request", (await shop.Do("DELETE", "?bulk-delete", "")).Text, StringComparison.Ordinal);
        Assert.Equal(405, (await shop.Do("DELETE", "")).Status);
        Assert.Equal(401, (await shop.Stranger("POST", "?bulk-delete", "full")).Status);
    }
}
