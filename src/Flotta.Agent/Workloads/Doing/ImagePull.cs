namespace Flotta.Agent.Workloads;

/// <summary>Brings an image to the device, as its pull policy says.</summary>
/// <param name="makeRoom">Removes images that nothing wants.</param>
internal sealed class ImagePull(PodmanClient podman, PulledImages pulled, Func<CancellationToken, Task> makeRoom, Action<string> report)
{
    // podman tells no progress inside of a layer, so only the whole pull can have a deadline; it keeps the layers it has, so a later try goes on.
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(30);

    public async Task RunAsync(ImageNeed image, string? auth, CancellationToken cancellationToken)
    {
        try
        {
            if (image.Id is { } id)
            {
                if (!await podman.ImageExistsAsync(id, cancellationToken))
                    throw new StepFailedException(Reasons.ImagePullFailed, $"the image that {image.Reference} was exchanged for ({id[..12]}) is not on the device any more") { ImageLost = true };
                return;
            }
            var before = await podman.ImageIdAsync(image.Reference, cancellationToken);
            if (IsEnough(image, before is not null))
                return;
            report($"pulling image {image.Reference}");
            await CheckRoomAsync(image, cancellationToken);
            // podman goes on with a pull when the agent is killed in the middle of it.
            if (before is null)
                await pulled.NoteAsync(image.Reference, cancellationToken);
            await podman.PullAsync(image.Reference, auth, Deadline, cancellationToken);
            // What has lost its name to the new one is removed by its id, if it was brought by the agent.
            if (before is not null && await podman.ImageIdAsync(image.Reference, cancellationToken) != before && await pulled.HasAsync(image.Reference, cancellationToken))
                await pulled.NoteAsync(before, cancellationToken);
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

    private static bool IsEnough(ImageNeed image, bool isThere) => image.Policy switch
    {
        PullPolicy.Always or PullPolicy.Newer => false,
        PullPolicy.Never when !isThere => throw new StepFailedException(Reasons.ImagePullFailed, $"image {image.Reference} is not on the device, and its pull policy is Never"),
        _ => isThere,
    };

    private async Task CheckRoomAsync(ImageNeed image, CancellationToken cancellationToken)
    {
        var folder = await podman.StorageFolderAsync(cancellationToken);
        if (DiskRoom.Left(folder) is not < DiskRoom.Least)
            return;
        await makeRoom(cancellationToken);
        if (DiskRoom.Left(folder) is { } left and < DiskRoom.Least)
            throw new StepFailedException(Reasons.DiskFull, $"image {image.Reference} is not pulled: {DiskRoom.Tell(left, folder!)}");
    }
}
