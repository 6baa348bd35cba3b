using Cloud.Platform.Hosting;
using Xunit;

namespace Cloud.Tests.Unit;

public class MappingTests
{
    private static string[] Part(string head, int resident, int written) => [head, "Size: 64 kB", $"Rss:                  {resident} kB", "Private_Dirty: 0 kB", $"Anonymous:            {written} kB", "VmFlags: rd ex mr mw me sd"];

    [Theory]
    [InlineData("1000-3000 r-xp 00001000 fd:00 77   /lib/libc.so.6", 8, 0, true)] // code
    [InlineData("1000-3000 r--s 00000000 fd:00 77   /app/System.Text.Json.dll", 4, 0, true)] // metadata
    [InlineData("1000-3000 r--p 00001000 fd:00 77   /lib/libc.so.6", 8, 4, false)] // relocated: its only copy is here
    [InlineData("1000-3000 r-xp 00001000 fd:00 77   /lib/libc.so.6", 0, 0, false)] // nothing to give back
    [InlineData("1000-3000 rw-s 00000000 fd:00 77   /data/state.db-shm", 8, 0, false)] // written by us
    [InlineData("1000-3000 rw-p 00000000 00:00 0 ", 8, 8, false)] // the heap
    [InlineData("1000-3000 r-xs 00000000 00:01 9    /memfd:doublemapper (deleted)", 8, 0, false)] // compiled here
    [InlineData("1000-3000 r-xp 00000000 00:00 0    [vdso]", 4, 0, false)]
    public void Only_what_is_on_disk_as_well_may_be_let_go(string head, int resident, int written, bool clean) =>
        Assert.Equal(clean ? [(0x1000, 0x2000)] : [], Mapping.Clean(Part(head, resident, written)));

    [Fact]
    public void This_process_has_such_parts() => Assert.NotEmpty(Mapping.Clean(File.ReadLines("/proc/self/smaps")));
}
