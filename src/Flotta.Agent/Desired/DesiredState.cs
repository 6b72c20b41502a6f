using System.Runtime.InteropServices;
using Flotta.Agent.Workloads;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Desired;

/// <summary>
/// What this device shall be. A new configuration is checked, put on disk, and only then handed on, in the order in which it came;
/// one that will not do changes nothing and is reported.
/// </summary>
internal sealed partial class DesiredState(DesiredStore store, string deviceId, ILogger<DesiredState> logger) : IDataReceiver
{
    private byte[] _content = [];

    public DeviceConfigurationMessage? Current { get; private set; }

    public string? Tag { get; private set; }

    /// <summary>The last configuration was damaged, and <see cref="Current"/> is the one before it. What it asks for may have been taken back since: nothing is made, changed or removed for it.</summary>
    public bool IsOutdated { get; private set; }

    /// <summary>Why the last document was not applied; null when it was.</summary>
    public string? Problem { get; private set; }

    public event Action? Changed;

    /// <summary>A document was refused, and why.</summary>
    public event Action<string>? Refused;

    public DesiredWorkloads? Workloads => Current is null ? null : DesiredWorkloads.Of(Current) with { IsOutdated = IsOutdated };

    public void Load()
    {
        if (store.Load() is not { } stored)
            return;
        Adopt(stored);
        if (IsOutdated)
            LogOutdated(logger, Current!.Version ?? "");
        else
            LogLoaded(logger, Current!.Version ?? "");
        Changed?.Invoke();
    }

    public Task<Receipt> ReceiveAsync(ReadOnlyMemory<byte> body, string? tag, CancellationToken cancellationToken) => Task.FromResult(Receive(body, tag));

    public void Forget()
    {
        store.Remove();
        (Current, Tag, IsOutdated) = (null, null, false);
        _content = [];
    }

    private Receipt Receive(ReadOnlyMemory<byte> body, string? tag)
    {
        Message message;
        DeviceConfigurationMessage document;
        try
        {
            message = WireJson.Read(body.Span, WireJson.Types.Message);
            document = WireJson.ReadContent(message.Content, WireJson.Types.DeviceConfigurationMessage);
        }
        catch (WireFormatException exception)
        {
            return Refuse(exception.Message);
        }

        if (DocumentCheck.Problem(message, document, deviceId) is { } problem)
            return Refuse(problem);
        return Take(document, JsonMarshal.GetRawUtf8Value(message.Content!.Value), tag);
    }

    private Receipt Take(DeviceConfigurationMessage received, ReadOnlySpan<byte> raw, string? tag)
    {
        var document = HeldWorkloads.Keep(received, Current);
        // The original's version changes with every heartbeat; without new content there is nothing to write or to do, and the version stays.
        if (Current is not null && !IsOutdated && Content(document).AsSpan().SequenceEqual(_content))
        {
            Tag = tag;
            Recovered();
            return Receipt.Taken;
        }

        try
        {
            store.Save(ReferenceEquals(document, received) ? raw : WireJson.Write(document, WireJson.Types.DeviceConfigurationMessage), tag);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Report($"it cannot be stored: {exception.Message}");
            return Receipt.Failed;
        }

        Adopt(new StoredDesired(document, tag));
        Problem = null;
        LogApplied(logger, document.Version ?? "", document.Workloads?.Count ?? 0);
        Changed?.Invoke();
        return Receipt.Taken;
    }

    private void Recovered()
    {
        if (Problem is null)
            return;
        Problem = null;
        Changed?.Invoke();
    }

    private void Adopt(StoredDesired stored)
    {
        (Current, Tag, IsOutdated) = (stored.Document, stored.Tag, stored.IsOutdated);
        _content = Content(stored.Document);
    }

    private Receipt Refuse(string problem)
    {
        Report(problem);
        return Receipt.Refused;
    }

    private void Report(string problem)
    {
        if (problem == Problem)
            return;
        Problem = problem;
        LogRefused(logger, problem);
        Refused?.Invoke(problem);
    }

    private static byte[] Content(DeviceConfigurationMessage document) =>
        System.Security.Cryptography.SHA256.HashData(WireJson.Write(document with { Version = null }, WireJson.Types.DeviceConfigurationMessage));

    [LoggerMessage(Level = LogLevel.Information, Message = "configuration {Version} resumed from disk")]
    private static partial void LogLoaded(ILogger logger, string version);

    [LoggerMessage(Level = LogLevel.Warning, Message = "configuration {Version}, the one before the last, resumed from disk: what runs is looked after, and nothing is changed until the server has said what it wants")]
    private static partial void LogOutdated(ILogger logger, string version);

    [LoggerMessage(Level = LogLevel.Information, Message = "configuration {Version} applied, {Workloads} workloads")]
    private static partial void LogApplied(ILogger logger, string version, int workloads);

    [LoggerMessage(Level = LogLevel.Error, Message = "a configuration is not applied, the one before stays: {Problem}")]
    private static partial void LogRefused(ILogger logger, string problem);
}
