using Flotta.Agent.Processes;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Firewall;

/// <summary>Keeps the device's table of nftables as the published ports want it: at start, at each change, and when somebody flushed it. Without nft there is none.</summary>
internal sealed partial class FirewallLoop(string deviceId, ILogger<FirewallLoop> logger, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(10);
    private readonly string _table = Ruleset.TableOf(deviceId);
    private readonly Signal _wake = new();
    private volatile IReadOnlyList<OpenPort>? _desired;
    private string? _problem;

    public void Apply(IReadOnlyList<OpenPort> desired)
    {
        _desired = desired;
        _wake.Set();
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var applied = "";
        while (true)
        {
            // Nothing published and nothing of ours there: nft is not even started.
            if (_desired is { } ports && Ruleset.Of(_table, ports) is var wanted && (wanted != applied || !await IsThereAsync(ports, cancellationToken)))
                applied = await ReplaceAsync(wanted, cancellationToken) ? wanted : "";
            await _wake.WaitAsync(Resync, time, cancellationToken);
        }
    }

    public Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        _desired = [];
        return ReplaceAsync(Ruleset.Of(_table, []), cancellationToken);
    }

    public void Dispose() => _wake.Dispose();

    private async Task<bool> IsThereAsync(IReadOnlyList<OpenPort> ports, CancellationToken cancellationToken) =>
        ports.Count == 0 || (await Tool.RunAsync("nft", ["list", "table", "inet", _table], null, Patience, cancellationToken)).IsOk;

    private async Task<bool> ReplaceAsync(string ruleset, CancellationToken cancellationToken)
    {
        var result = await Tool.RunAsync("nft", ["-f", "-"], ruleset, Patience, cancellationToken);
        if (!result.IsOk && _problem != result.Problem)
            LogNotApplied(logger, result.Problem);
        _problem = result.IsOk ? null : result.Problem;
        return result.IsOk;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the firewall's rules for published ports are not in place: {Problem}")]
    private static partial void LogNotApplied(ILogger logger, string problem);
}
