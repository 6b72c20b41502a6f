using System.Text.Json;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Playbooks;
using Flotta.Tests.Agent.Metrics;
using Flotta.Tests.ApiServer;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent.Playbooks;

public sealed class PlaybookLoopTests
{
    /// <summary>Each end is what the loop waits for: one that it misses leaves it waiting for an hour.</summary>
    [Fact]
    public async Task The_end_of_a_run_is_never_missed()
    {
        const int Runs = 40;
        using var folder = new TemporaryFolder();
        var tasks = Enumerable.Range(0, Runs)
            .Select(index => new PlaybookTask { Name = $"quick-{index}", Uid = $"quick-{index}", Config = $"quick-{index}", Index = 0, AnsiblePlaybookString = "- hosts: all" })
            .ToList();
        var (reports, runner) = (new PlaybookReports(), new QuickRunner());
        var site = new PlaybookSite(folder.Path, new Server(tasks), reports, () => true);
        var loop = new PlaybookLoop(site, runner, new SpokenReport(), NullLogger<PlaybookLoop>.Instance, TimeProvider.System);
        loop.Apply(new DeviceConfigurationMessage { Configuration = new DeviceConfiguration { AnsibleManager = new AnsibleManagerConfiguration(null, [.. tasks.Select(task => task.Uid!)]) } });
        await Eventually.True(() => reports.Now.Count(one => one.Status == PlaybookStatuses.Succeeded) == Runs, seconds: 120);
        runner.Started.ShouldBe(Runs);
        await loop.StopAsync();
    }

    [Fact]
    public async Task A_run_that_ended_well_while_the_disk_was_full_ended_well_and_is_not_run_again()
    {
        using var folder = new TemporaryFolder();
        var task = new PlaybookTask { Name = "setup", Uid = "setup", Config = "setup", Index = 0, AnsiblePlaybookString = "- hosts: all", Options = new PlaybookOptions { ExecutionStrategy = PlaybookStrategies.RetryOnFailure } };
        var (reports, runner, report, log, time) = (new PlaybookReports(), new GatedRunner(), new SpokenReport(), new FaultLog(), new FakeTimeProvider());
        var loop = new PlaybookLoop(new PlaybookSite(folder.Path, new Server([task]), reports, () => true), runner, report, log, time);
        loop.Apply(new DeviceConfigurationMessage { Configuration = new DeviceConfiguration { AnsibleManager = new AnsibleManagerConfiguration(null, [task.Uid!]) } });
        await Eventually.True(() => runner.Started == 1);
        // Nobody is too powerful for a folder in the way.
        Directory.CreateDirectory(folder.File("executions.json.new"));
        runner.End.SetResult(new Attempt(Succeeded: true, Reason: null, "ok=1", []));
        await Eventually.True(() => log.Faults > 0);
        Directory.Delete(folder.File("executions.json.new"));
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return report.Said.Count > 0 && reports.Now.Any(one => one.Status == PlaybookStatuses.Succeeded);
        });
        report.Said.ShouldHaveSingleItem().ShouldBe("PlaybookSucceeded: setup");
        runner.Started.ShouldBe(1);
        await loop.StopAsync();
    }

    private sealed class FaultLog : ILogger<PlaybookLoop>
    {
        private volatile int _faults;

        public int Faults => _faults;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Interlocked.Increment(ref _faults);
        }
    }

    private sealed class GatedRunner : IPlaybookRunner
    {
        public int Started { get; private set; }

        public TaskCompletionSource<Attempt> End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsThere => true;

        public Task<Attempt> RunAsync(Execution execution, byte[] playbook, CancellationToken cancellationToken)
        {
            Started++;
            return End.Task;
        }
    }

    private sealed class QuickRunner : IPlaybookRunner
    {
        public int Started { get; private set; }

        public bool IsThere => true;

        public async Task<Attempt> RunAsync(Execution execution, byte[] playbook, CancellationToken cancellationToken)
        {
            Started++;
            await Task.Yield();
            return new Attempt(Succeeded: true, Reason: null, "ok=1", []);
        }
    }

    private sealed class Server(IReadOnlyList<PlaybookTask> tasks) : IOutbound
    {
        public event Action<Identity>? Unauthorized
        {
            add { }
            remove { }
        }

        public Identity? Identity { get; } = Issue();

        public void Use(Identity identity)
        {
        }

        public Task<Answer> PostAsync(Channel channel, Message message, CancellationToken cancellationToken)
        {
            var content = JsonSerializer.Serialize(tasks, WireJson.Types.IReadOnlyListPlaybookTask);
            var response = new MessageResponse { Content = WireJson.ToElement(content, WireJson.Types.String), Directive = message.Directive, MessageId = message.MessageId };
            return Task.FromResult(new Answer { Status = 200, Body = WireJson.Write(response, WireJson.Types.MessageResponse) });
        }

        public Task<Answer> PostAsAsync(Identity identity, Channel channel, Message message, CancellationToken cancellationToken, TimeSpan? hold = null) => PostAsync(channel, message, cancellationToken);

        private static Identity Issue()
        {
            var (certificate, key) = new TestAuthority().Issue("CN=till-07");
            return Identity.FromPem(certificate, key, "certificate", "key");
        }
    }
}
