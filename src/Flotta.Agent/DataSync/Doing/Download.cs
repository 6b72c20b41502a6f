using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Flotta.Agent.DataSync;

/// <summary>
/// Brings one object onto the device: into a folder that no container sees, from where a cut or a crash left off, and only when it is whole and
/// its checksum right to its place, in one step.
/// </summary>
internal sealed class Download(S3Client bucket, OpenFolder export, string incoming, string workload)
{
    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    private const int NoSpace = 28;
    private const int OverQuota = 122;

    /// <exception cref="IOException">With a message for people: no room, something in the way.</exception>
    public async Task<Synced> FetchAsync(Fetching fetching, CancellationToken cancellationToken)
    {
        var (wanted, path) = fetching;
        var name = NameOf(fetching);
        var temporary = Path.Combine(incoming, name);
        try
        {
            CheckRoom(wanted, temporary);
            await using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                if (file.Length > wanted.Size)
                    file.SetLength(0);
                var isChecksum = true;
                if (file.Length < wanted.Size)
                    isChecksum = await bucket.FetchAsync(wanted, file, cancellationToken);
                if (file.Length < wanted.Size)
                    throw new S3Exception("it ended too early");
                if (isChecksum && !await IsRightAsync(wanted, file, cancellationToken))
                {
                    file.SetLength(0);
                    throw new S3Exception("what arrived has another checksum", HttpStatusCode.PreconditionFailed);
                }

                File.SetUnixFileMode(file.SafeFileHandle, Everybody);
                File.SetLastWriteTimeUtc(file.SafeFileHandle, wanted.LastModified.UtcDateTime);
                file.Flush(flushToDisk: true);
            }

            using var from = OpenFolder.TryOpen(incoming) ?? throw new IOException("the folder for what arrives is gone");
            export.Take(from, name, path);
        }
        catch (IOException exception) when (exception.HResult is NoSpace or OverQuota)
        {
            // Half of a file helps nobody, and its room may help somebody.
            File.Delete(temporary);
            throw new IOException("the disk is full", exception);
        }

        var placed = export.Find(path) ?? throw new IOException("it was taken away at once");
        return new Synced(path, wanted.Key, placed.Size, placed.Modified, wanted.ETag);
    }

    /// <summary>What was begun and is not wanted any more.</summary>
    public void Tidy(IEnumerable<Fetching> wanted)
    {
        var names = wanted.Select(NameOf).ToHashSet(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(incoming, workload + "~*").Where(file => !names.Contains(Path.GetFileName(file))))
            File.Delete(file);
    }

    /// <summary>One name for each content: what was begun of another is never continued with this one.</summary>
    private string NameOf(Fetching fetching) =>
        $"{workload}~{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{fetching.Path}\n{fetching.Object.Key}\n{fetching.Object.ETag}")))[..32]}";

    /// <summary>Whether it is what the ETag says, where that says anything.</summary>
    private async Task<bool> IsRightAsync(RemoteObject wanted, Stream file, CancellationToken cancellationToken)
    {
        if (Checksums.IsMd5(wanted.ETag))
            return string.Equals(await Checksums.Md5Async(file, 0, file.Length, cancellationToken), wanted.ETag, StringComparison.OrdinalIgnoreCase);
        return PartsTag.Read(wanted.ETag) is not { } tag || await new PartsCheck(bucket, wanted, tag).IsRightAsync(file, cancellationToken);
    }

    private void CheckRoom(RemoteObject wanted, string temporary)
    {
        var drive = new DriveInfo(incoming);
        var (left, all) = (drive.AvailableFreeSpace, drive.TotalSize);
        // The device itself needs some to go on.
        var reserve = Math.Min(all / 20, 128L << 20);
        var missing = wanted.Size - (File.Exists(temporary) ? new FileInfo(temporary).Length : 0);
        if (left - missing < reserve)
            throw new IOException(FormattableString.Invariant($"the disk has no room: {wanted.Size >> 10} KiB wanted, {left >> 10} KiB left, of which {reserve >> 10} stay free"));
    }
}
