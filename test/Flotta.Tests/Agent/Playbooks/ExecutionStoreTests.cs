using System.Diagnostics;
using Flotta.Agent.Playbooks;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent.Playbooks;

public sealed class ExecutionStoreTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-executions-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_was_given_is_there_after_a_restart_for_its_owner_alone_and_a_playbook_only_until_it_has_run()
    {
        var store = new ExecutionStore(Path.Combine(_folder, "playbooks"), NullLogger.Instance);
        store.Keep("../../etc/passwd", "- hosts: all");
        IReadOnlyList<Execution> given = [new() { Key = "../../etc/passwd", Name = "dev-setup-0", Config = "setup", State = ExecutionState.Running, Attempts = 1, Mark = "mark", Options = new() { CapAdd = [12] } }];
        store.Save(given);

        var again = new ExecutionStore(Path.Combine(_folder, "playbooks"), NullLogger.Instance);
        var one = again.Load().Single();
        (one.Key, one.State, one.Attempts, one.Mark, one.Listed, one.Options.CapAdd!.Single()).ShouldBe(("../../etc/passwd", ExecutionState.Running, 1, "mark", true, 12));
        again.Playbook(one.Key).ShouldBe("- hosts: all"u8.ToArray());
        foreach (var file in Directory.GetFiles(_folder, "*", SearchOption.AllDirectories))
            File.GetUnixFileMode(file).ShouldBe(OwnerOnly);
        File.GetUnixFileMode(Path.Combine(_folder, "playbooks")).ShouldBe(OwnerOnly | UnixFileMode.UserExecute);

        again.Save(ExecutionPlan.Ended(again.Load(), one.Key, new Attempt(Succeeded: true, null, "ok=1", []), DateTimeOffset.UnixEpoch));
        again.Playbook(one.Key).ShouldBeNull();
        again.Save([again.Load().Single() with { Listed = false }]);
        again.Load().Single().Listed.ShouldBeFalse("also what is not the default is kept");
    }

    [Fact]
    public void A_damaged_file_loses_what_it_knew_and_nothing_else()
    {
        File.WriteAllText(Path.Combine(_folder, "executions.json"), "[{\"Key\":");
        new ExecutionStore(_folder, NullLogger.Instance).Load().ShouldBeEmpty();
        File.WriteAllText(Path.Combine(_folder, "executions.json"), "[null,{},{\"Key\":\"a\"}]");
        new ExecutionStore(_folder, NullLogger.Instance).Load().Single().Name.ShouldBe("");
    }

    [Fact]
    public async Task Everything_that_a_run_started_is_found_by_its_mark_and_ended_and_nothing_else()
    {
        var (mine, others) = (Marks.New(), Marks.New());
        // A child that goes into a session of its own, and one that forgets its environment.
        using var run = Start(mine, "setsid sleep 300 & env -i sleep 300 & wait");
        using var other = Start(others, "exec sleep 300");
        try
        {
            await Eventually.True(() => Marks.Find(mine).Count == 3 && Marks.Find(others).Count == 1);
            (await Marks.EndAsync(mine, TimeProvider.System)).ShouldBeTrue();
            Marks.Find(mine).ShouldBeEmpty();
            await run.WaitForExitAsync(TestContext.Current.CancellationToken);
            other.HasExited.ShouldBeFalse();
        }
        finally
        {
            other.Kill();
            await Marks.EndAsync(mine, TimeProvider.System);
        }
    }

    private static Process Start(string mark, string script)
    {
        var start = new ProcessStartInfo("setsid") { UseShellExecute = false };
        start.ArgumentList.Add("sh");
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        start.Environment[Marks.Variable] = mark;
        return Process.Start(start)!;
    }
}
