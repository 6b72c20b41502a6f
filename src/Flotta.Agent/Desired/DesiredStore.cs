using Flotta.Agent.Files;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Desired;

/// <summary>The desired state on disk: <c>desired.json</c>, and the good one before it as <c>desired.previous.json</c>.</summary>
internal sealed partial class DesiredStore(DataDirectory folder, ILogger<DesiredStore> logger)
{
    private bool _currentIsGood;

    private string Current => folder["desired.json"];

    private string PreviousFile => folder["desired.previous.json"];

    /// <summary>
    /// The last good configuration, which may be the one before the last; of two damaged files, none. None is not "nothing shall run":
    /// what runs is left alone until the server has said what it wants.
    /// </summary>
    public StoredDesired? Load()
    {
        var current = Read(Current);
        _currentIsGood = current is not null;
        // Its tag would tell the server that this device needs nothing.
        return current ?? (Read(PreviousFile) is { } before ? before with { Tag = null, IsOutdated = true } : null);
    }

    public void Save(ReadOnlySpan<byte> document, string? tag)
    {
        var staged = Current + ".new";
        DurableFile.Stage(staged, DesiredFile.Write(document, tag));
        // A damaged one must not take the place of the good one before it.
        if (_currentIsGood && File.Exists(Current))
            DurableFile.Rename(Current, PreviousFile);
        DurableFile.Rename(staged, Current);
        _currentIsGood = true;
    }

    public void Remove()
    {
        DurableFile.Delete(PreviousFile);
        DurableFile.Delete(Current);
        _currentIsGood = false;
    }

    private StoredDesired? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            if (DesiredFile.Read(File.ReadAllBytes(path), out var problem) is { } good)
                return good;
            LogDamaged(logger, path, problem);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogDamaged(logger, path, exception.Message);
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} is not used, and no workload is removed because of it: {Problem}")]
    private static partial void LogDamaged(ILogger logger, string path, string problem);
}
