using System.Globalization;

namespace Flotta.Agent.Workloads;

/// <summary>Is there room for another image? A device whose disk is full loses more than a workload.</summary>
internal static class DiskRoom
{
    /// <summary>Images do not say how large they will be; less than this is too little for any, and for the device itself.</summary>
    public const long Least = 128L << 20;

    /// <summary>What is left where podman keeps images; null where that cannot be known (podman may be elsewhere).</summary>
    public static long? Left(string? folder)
    {
        try
        {
            return folder is not null && Directory.Exists(folder) ? new DriveInfo(folder).AvailableFreeSpace : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    public static string Tell(long left, string folder) =>
        string.Create(CultureInfo.InvariantCulture, $"only {left >> 20} MiB are left in {folder}; an image is pulled when there are at least {Least >> 20}");
}
