namespace Flotta.Agent.Workloads;

/// <summary>Brings an image to the device, as its pull policy says.</summary>
internal sealed class ImagePull(PodmanClient podman, Action<string> report)
{
    // podman tells no progress inside of a layer, so only the whole pull can have a deadline; it keeps the layers it has, so a later try goes on.
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(30);

    public async Task RunAsync(ImageNeed image, string? auth, CancellationToken cancellationToken)
    {
        try
        {
            if (await IsEnoughAsync(image, cancellationToken))
                return;
            report($"pulling image {image.Reference}");
            await podman.PullAsync(image.Reference, auth, Deadline, cancellationToken);
        }
        catch (PodmanException exception) when (exception is { Unreachable: true, TimedOut: false })
        {
            throw new StepFailedException(Reasons.PodmanUnavailable, exception.Message, exception);
        }
        catch (PodmanException exception)
        {
            if (image.Policy == PullPolicy.Newer && await podman.ImageExistsAsync(image.Reference, cancellationToken))
                return;
            throw new StepFailedException(Reasons.ImagePullFailed, $"image {image.Reference} could not be pulled: {exception.Message}", exception);
        }
    }

    private async Task<bool> IsEnoughAsync(ImageNeed image, CancellationToken cancellationToken)
    {
        if (image.Policy is PullPolicy.Always or PullPolicy.Newer)
            return false;
        if (await podman.ImageExistsAsync(image.Reference, cancellationToken))
            return true;
        return image.Policy == PullPolicy.Never
            ? throw new StepFailedException(Reasons.ImagePullFailed, $"image {image.Reference} is not on the device, and its pull policy is Never")
            : false;
    }
}
