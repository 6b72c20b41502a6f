using System.Collections.Concurrent;
using Flotta.Agent;
using Flotta.Agent.CommandLine;
using Flotta.Agent.Logging;
using Flotta.Agent.Workloads;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Tests.Agent;

/// <summary>A device: its folder, its bootstrap files, and the agent on it, which can be stopped and started again.</summary>
internal sealed class TestDevice : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-agent-").FullName;
    private readonly EdgeStandIn _server;
    private CancellationTokenSource _stop = new();
    private DeviceAgent? _agent;
    private Task _running = Task.CompletedTask;

    public TestDevice(EdgeStandIn server)
    {
        _server = server;
        var (certificate, key) = server.Authority.Issue("SERIALNUMBER=reg-client-ca-x, CN=register, O=flotta-operator");
        File.WriteAllText(InFolder("ca.pem"), server.Authority.Pem);
        File.WriteAllText(InFolder("cert.pem"), certificate);
        File.WriteAllText(InFolder("key.pem"), key);
    }

    public FakeWorkloads Workloads { get; private set; } = new();

    public StringWriter Log { get; } = new();

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public PollOptions Polls { get; set; } = new() { Interval = TimeSpan.FromMilliseconds(50), RelaxedControlInterval = TimeSpan.FromSeconds(5) };

    public DeviceAgent Agent => _agent!;

    public string InFolder(string name) => Path.Combine(_folder, name);

    public string InData(string name) => Path.Combine(_folder, "data", name);

    public AgentOptions Options => new()
    {
        Server = _server.Address,
        ClientId = "dev1",
        CaRoot = [InFolder("ca.pem")],
        CertFile = InFolder("cert.pem"),
        KeyFile = InFolder("key.pem"),
        DataDirectory = InFolder("data"),
        TagsFile = InFolder("tags.toml"),
    };

    public void Start(AgentOptions? options = null)
    {
        Workloads = new FakeWorkloads();
        _stop = new CancellationTokenSource();
        var log = new StderrLog(LogLevel.Debug, TimeProvider.System, TextWriter.Synchronized(Log));
        _agent = new DeviceAgent(options ?? Options, (_, _) => Workloads, log, Time, Polls);
        _running = Task.Run(() => _agent.RunAsync(_stop.Token));
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(static _ => { }, TaskScheduler.Default);
        _agent?.Dispose();
        _agent = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

internal sealed class FakeWorkloads : IWorkloads
{
    private IReadOnlyList<WorkloadState> _states = [];

    public ConcurrentQueue<DesiredWorkloads> Applied { get; } = [];

    public ConcurrentQueue<WorkloadEvent> Events { get; } = [];

    public int Removals { get; private set; }

    public IReadOnlyList<WorkloadState> States
    {
        get => _states;
        set
        {
            _states = value;
            Changed?.Invoke();
        }
    }

    public event Action? Changed;

    public void Apply(DesiredWorkloads desired) => Applied.Enqueue(desired);

    public IReadOnlyList<WorkloadEvent> TakeEvents()
    {
        var taken = new List<WorkloadEvent>();
        while (Events.TryDequeue(out var one))
            taken.Add(one);
        return taken;
    }

    public Task RunAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);

    public Task HaltAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Resume()
    {
        // Nothing was halted.
    }

    public Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        Removals++;
        return Task.CompletedTask;
    }
}
