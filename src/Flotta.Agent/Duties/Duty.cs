using System.Security.Cryptography;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Duties;

/// <summary>Something that a device does besides its workloads, as far as its configuration asks for it.</summary>
internal interface IDuty
{
    void Apply(DeviceConfigurationMessage configuration);

    /// <summary>May begin again with the next <see cref="Apply"/>.</summary>
    Task StopAsync();
}

/// <summary>
/// Something that a device does besides its workloads, while its configuration asks for it. One that is not asked for is this object and
/// nothing else: no task, no timer. When the part of the configuration that concerns it changes, it ends and begins anew with that.
/// </summary>
/// <param name="slice">The part that concerns it; null is off.</param>
/// <param name="off">Told when it has ended because it is not asked for any more.</param>
internal sealed partial class Duty(
    string name,
    Func<DeviceConfigurationMessage, DeviceConfigurationMessage?> slice,
    Func<DeviceConfigurationMessage, CancellationToken, Task> run,
    ILogger logger,
    TimeProvider time,
    Action? off = null) : IDuty
{
    private byte[] _of = [];
    private CancellationTokenSource? _stop;
    private Task _running = Task.CompletedTask;

    public void Apply(DeviceConfigurationMessage configuration)
    {
        var part = slice(configuration);
        var of = part is null ? [] : SHA256.HashData(WireJson.Write(part, WireJson.Types.DeviceConfigurationMessage));
        if (of.AsSpan().SequenceEqual(_of))
            return;
        _of = of;
        End();
        if (part is null)
        {
            _running = OffAsync(_running);
            return;
        }

        _stop = new CancellationTokenSource();
        _running = KeepAsync(_running, part, _stop.Token);
    }

    public async Task StopAsync()
    {
        _of = [];
        End();
        await _running;
    }

    private void End()
    {
        _stop?.Cancel();
        _stop?.Dispose();
        _stop = null;
    }

    private async Task OffAsync(Task previous)
    {
        await previous;
        off?.Invoke();
    }

    private async Task KeepAsync(Task previous, DeviceConfigurationMessage part, CancellationToken cancellationToken)
    {
        await previous;
        // Whoever applies a configuration does not wait for what follows from it.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var backOff = new BackOff(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await run(part, cancellationToken);
                return;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFault(logger, name, exception);
            }

            await Task.Delay(backOff.Next(), time, cancellationToken).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Duty} failed, beginning anew")]
    private static partial void LogFault(ILogger logger, string duty, Exception exception);
}
