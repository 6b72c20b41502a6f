using Flotta.Fleet.Devices;
using Flotta.Fleet.Reports;
using Flotta.Fleet.Transport;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Fleet.Scenarios;

/// <summary>Requests of one kind as fast as they are answered, or at a rate, over connections that stay open. Finds a server's limits; no fleet behaves like this.</summary>
internal sealed class Load(Fleet fleet, FleetOptions options, TimeProvider time) : IDisposable
{
    private readonly List<Sender> _senders = [];

    /// <summary>Connects every device and gives it what its requests need.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        foreach (var device in fleet.Devices)
            _senders.Add(new Sender(device, device.Open(await device.IdentityAsync(cancellationToken)), time));
        await Parallel.ForEachAsync(
            _senders,
            new ParallelOptions { MaxDegreeOfParallelism = options.AtOnce, CancellationToken = cancellationToken },
            async (sender, stop) => await sender.PrepareAsync(stop));
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var workers = Math.Min(options.AtOnce, _senders.Count);
        await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(() => WorkAsync(worker, workers, began, cancellationToken), cancellationToken)));
    }

    public void Dispose()
    {
        foreach (var sender in _senders)
            sender.Dispose();
    }

    // Each worker has devices of its own, so that no device has two requests under way.
    private async Task WorkAsync(int worker, int workers, long began, CancellationToken cancellationToken)
    {
        var interval = options.Rate is { } rate ? TimeSpan.FromSeconds(workers / rate) : TimeSpan.Zero;
        var next = interval * Random.Shared.NextDouble();
        var device = worker;
        while (time.GetElapsedTime(began) is var now && now < options.Duration && !cancellationToken.IsCancellationRequested)
        {
            if (options.Rate is not null && next > now)
                await Task.Delay(next - now, time, cancellationToken);
            next += interval;
            await _senders[device].SendAsync(options.Request, cancellationToken);
            device = device + workers < _senders.Count ? device + workers : worker;
        }
    }

    private sealed class Sender(SimulatedDevice device, DeviceLink link, TimeProvider time) : IDisposable
    {
        private MessageBody[] _bodies = [];
        private string? _tag;
        private int _turn;

        public async Task PrepareAsync(CancellationToken cancellationToken)
        {
            var reply = await link.GetAsync(RequestKind.Configuration, Channel.Data, null, null, cancellationToken);
            if (!reply.IsOk)
                throw new TimeoutException($"{device.Id} gets no configuration: status {reply.Status}");
            _tag = reply.ETag;
            var content = WireJson.Read(reply.Body.Span, WireJson.Types.Message).Content;
            var configuration = WireJson.ReadContent(content, WireJson.Types.DeviceConfigurationMessage);
            _bodies = [Heartbeat(configuration, "Running"), Heartbeat(configuration, "Degraded")];
            await SendAsync(LoadRequest.Heartbeat, cancellationToken);
        }

        public Task<Reply> SendAsync(LoadRequest request, CancellationToken cancellationToken) => request switch
        {
            LoadRequest.Heartbeat => link.PostAsync(RequestKind.Heartbeat, _bodies[0].At(time.GetUtcNow()), cancellationToken),
            LoadRequest.ChangingHeartbeat => link.PostAsync(RequestKind.Heartbeat, _bodies[++_turn % 2].At(time.GetUtcNow()), cancellationToken),
            LoadRequest.Configuration => link.GetAsync(RequestKind.Configuration, Channel.Data, null, null, cancellationToken),
            LoadRequest.UnchangedConfiguration => link.GetAsync(RequestKind.Configuration, Channel.Data, _tag, null, cancellationToken),
            _ => link.GetAsync(RequestKind.Control, Channel.Control, null, null, cancellationToken),
        };

        public void Dispose() => link.Dispose();

        // Where there is no workload whose state could change, the configuration that the device says to have does.
        private MessageBody Heartbeat(DeviceConfigurationMessage configuration, string state)
        {
            var workloads = configuration.Workloads ?? [];
            var heartbeat = new Heartbeat
            {
                Status = HeartbeatStatuses.Up,
                Version = workloads.Count == 0 && state != "Running" ? "another" : configuration.Version,
                Workloads = [.. workloads.Select(one => new WorkloadStatus { Name = one.Name, Status = state })],
            };
            return MessageBody.Of(Message.Data(Directives.Heartbeat, WireJson.ToElement(heartbeat, WireJson.Types.Heartbeat), time.GetUtcNow()));
        }
    }
}
