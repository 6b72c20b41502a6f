using System.Globalization;
using Flotta.Agent;

namespace Flotta.Tests.Agent;

public sealed class IdleMemoryTests
{
    [Theory]
    [InlineData("r-xp", "/usr/bin/flotta-agent", 0, 0, true)]
    [InlineData("r--p", "/usr/bin/a name with spaces", 0, 0, true)]
    [InlineData("r--p", "/usr/bin/flotta-agent", 12, 0, false)] // relocations
    [InlineData("r--p", "/usr/bin/flotta-agent", 0, 4, false)] // relocations that were swapped out
    [InlineData("rw-p", "/usr/bin/flotta-agent", 0, 0, false)]
    [InlineData("r--s", "/usr/bin/flotta-agent", 0, 0, false)]
    [InlineData("r--p", "[vvar]", 0, 0, false)]
    [InlineData("r--p", "", 0, 0, false)]
    public void Only_what_the_kernel_can_read_again_is_let_go(string mode, string path, int anonymous, int swap, bool released)
    {
        const string Heap = "55d6e8a00000-55d6e8b00000 rw-p 00000000 00:00 0 [heap]\nAnonymous: 4 kB\nSwap: 0 kB\nVmFlags: rd wr mr\n";
        var maps = Heap + $"""
            55d6e7c00000-55d6e7c03000 {mode} 00000000 fe:01 1234      {path}
            Size:                 12 kB
            Rss:                  12 kB
            Anonymous:            {anonymous.ToString(CultureInfo.InvariantCulture)} kB
            Swap:                  {swap.ToString(CultureInfo.InvariantCulture)} kB
            Locked:                0 kB
            VmFlags: rd mr mw me

            """ + Heap;
        IdleMemory.Unwritten(maps.Split('\n')).Select(one => ((ulong)one.Start, (ulong)one.Length)).ShouldBe(released ? [(0x55d6e7c00000ul, 0x3000ul)] : []);
    }

    [Fact]
    public void Of_this_very_process_there_is_something_to_let_go() => IdleMemory.Unwritten(File.ReadLines("/proc/self/smaps")).ShouldNotBeEmpty();
}
