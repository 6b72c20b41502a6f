using Flotta.Kube;

namespace Flotta.EdgeApi.LogStreams;

/// <summary>Where a person's request and the device's meet. Lives as long as the person's.</summary>
internal sealed class LogStream(string name, ObjectKey device, string person)
{
    private readonly TaskCompletionSource<Stream> arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Not to be guessed: whoever knows it was told it.</summary>
    public string Name { get; } = name;

    public ObjectKey Device { get; } = device;

    public string Person { get; } = person;

    /// <summary>The body of the device's request.</summary>
    public Task<Stream> Arrived => arrived.Task;

    /// <summary>Nobody reads any more.</summary>
    public Task Ended => ended.Task;

    /// <summary>False when it came already, or too late.</summary>
    public bool TryArrive(Stream body) => !ended.Task.IsCompleted && arrived.TrySetResult(body);

    public void End()
    {
        ended.TrySetResult();
        arrived.TrySetCanceled();
    }
}
