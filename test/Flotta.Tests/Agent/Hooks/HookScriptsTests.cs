using Flotta.Agent.Hooks;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent.Hooks;

public sealed class HookScriptsTests : IDisposable
{
    private const UnixFileMode Program = (UnixFileMode)0b111_101_101;
    private static readonly Dictionary<string, string> Environment = new() { ["FLOTTA_HOOK"] = "before-update" };
    private readonly string folder = Directory.CreateTempSubdirectory("flotta-hooks-").FullName;

    public HookScriptsTests() => Directory.CreateDirectory(Path.Combine(folder, "before-update.d"));

    [Fact]
    public async Task Scripts_run_in_the_order_of_their_names_with_an_environment_of_their_own()
    {
        Script("20-second", "echo second >> \"$(dirname \"$0\")/../log\"");
        Script("10-first", "env | sort | grep -v -e ^PWD= -e ^_= -e ^SHLVL= >> \"$(dirname \"$0\")/../log\"");
        File.WriteAllText(Path.Combine(folder, "before-update.d", ".hidden"), "not a program");
        (await RunAsync()).ShouldBeNull();
        (await File.ReadAllLinesAsync(Path.Combine(folder, "log"))).ShouldBe(["FLOTTA_HOOK=before-update", "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "second"]);
    }

    [Fact]
    public async Task The_first_that_fails_is_the_last_and_says_why()
    {
        Script("10-no", "echo the shop is open >&2; exit 1");
        Script("20-later", "touch \"$(dirname \"$0\")/../later\"");
        (await RunAsync()).ShouldBe("before-update.d/10-no: the shop is open");
        File.Exists(Path.Combine(folder, "later")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_script_that_does_not_end_is_ended()
    {
        Script("10-slow", "exec sleep 60");
        (await RunAsync(TimeSpan.FromMilliseconds(300)))!.ShouldContain("did not end within");
    }

    [Fact]
    public async Task What_others_than_root_may_write_is_not_run()
    {
        Script("10-open", "exit 0");
        File.SetUnixFileMode(Path.Combine(folder, "before-update.d/10-open"), Program | UnixFileMode.OtherWrite);
        (await RunAsync()).ShouldBe("before-update.d/10-open may be written by others than root, and so is not run");
        File.SetUnixFileMode(Path.Combine(folder, "before-update.d/10-open"), UnixFileMode.UserRead);
        (await RunAsync())!.ShouldContain("is not executable");
        File.SetUnixFileMode(Path.Combine(folder, "before-update.d/10-open"), Program);
        (await RunAsync()).ShouldBeNull();
        File.SetUnixFileMode(Path.Combine(folder, "before-update.d"), Program | UnixFileMode.GroupWrite);
        (await RunAsync())!.ShouldContain("may be written by others than root");
    }

    [Fact]
    public async Task A_link_is_not_followed()
    {
        File.CreateSymbolicLink(Path.Combine(folder, "before-update.d/10-link"), "/bin/true");
        (await RunAsync()).ShouldBe("before-update.d/10-link is no file");
    }

    [Fact]
    public async Task A_file_of_somebody_else_is_not_run()
    {
        Script("10-theirs", "exit 0");
        var result = await Flotta.Agent.Processes.Tool.RunAsync("chown", ["nobody", Path.Combine(folder, "before-update.d/10-theirs")], null, TimeSpan.FromSeconds(20), default);
        result.ExitCode.ShouldBe(0, result.Errors);
        (await RunAsync()).ShouldBe("before-update.d/10-theirs is not root's, and so is not run");
    }

    [Fact]
    public async Task No_folder_is_no_hook() =>
        (await new HookScripts(Path.Combine(folder, "none"), [], NullLogger<HookScripts>.Instance).RunAsync("before-reboot", Environment, default)).ShouldBeNull();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Script(string name, string body)
    {
        var path = Path.Combine(folder, "before-update.d", name);
        File.WriteAllText(path, "#!/bin/sh\n" + body + "\n");
        File.SetUnixFileMode(path, Program);
    }

    private Task<string?> RunAsync(TimeSpan? deadline = null) =>
        new HookScripts(folder, [], NullLogger<HookScripts>.Instance) { Deadline = deadline ?? TimeSpan.FromSeconds(30) }.RunAsync("before-update", Environment, default);
}
