using System.Globalization;
using System.Text;
using Flotta.Agent.Files;

namespace Flotta.Agent.DataSync;

/// <summary>A part that has arrived.</summary>
/// <param name="Tag">What the server calls it.</param>
/// <param name="Md5">What was sent; null where an agent of before sent it, which did not write that down.</param>
internal sealed record SentPart(string Tag, string? Md5)
{
    /// <summary>Neither encrypted with somebody's own key nor named after something else.</summary>
    public bool IsNamedByMd5 => string.Equals(Tag, Md5, StringComparison.OrdinalIgnoreCase);
}

/// <summary>An upload in parts that is under way.</summary>
/// <param name="Parts">Those that have arrived, the first one first.</param>
internal sealed record BegunUpload(string Path, string Key, long Size, long Modified, long PartBytes, string Id, IReadOnlyList<SentPart> Parts)
{
    /// <summary>Still the same content, cut the same way.</summary>
    public bool IsOf(LocalFile file) => file.Size == Size && file.Modified == Modified;

    /// <summary>Whether the ETag of the whole is that of these parts, where it says anything of them.</summary>
    public bool CanBe(string whole) => PartsTag.Read(whole) is not { } tag || !Parts.All(part => part.IsNamedByMd5) || tag.IsOf([.. Parts.Select(part => part.Md5!)]);
}

/// <summary>
/// The uploads in parts of one workload, on disk after every part: whatever is killed or cut, the next attempt goes on where this one stopped,
/// and none is forgotten in the bucket, where its parts would cost money without ever being seen.
/// </summary>
internal sealed class BegunUploads
{
    private const long Mebibyte = 1 << 20;
    private const int MostParts = 9000;
    private readonly string _file;
    private readonly string _bucket;
    private readonly List<BegunUpload> _begun = [];
    private HashSet<string> _onDisk = new(StringComparer.Ordinal);

    public BegunUploads(string file, string bucket)
    {
        (_file, _bucket) = (file, bucket);
        try
        {
            if (File.Exists(file))
                Read(File.ReadLines(file));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // They are begun anew.
        }

        _onDisk = Ids();
    }

    public IReadOnlyList<BegunUpload> All => [.. _begun];

    /// <summary>8 MiB, more for files so large that there would be too many.</summary>
    public static long PartBytesOf(long size) => Math.Max(8 * Mebibyte, ((size / MostParts / Mebibyte) + 1) * Mebibyte);

    public BegunUpload? Find(string path, string key) => _begun.Find(one => one.Path == path && one.Key == key);

    /// <summary>Under way, and nobody will know of it after this attempt.</summary>
    public bool WouldBeForgotten(BegunUpload upload) => _begun.Exists(one => one.Id == upload.Id) && !_onDisk.Contains(upload.Id);

    public void Keep(BegunUpload upload)
    {
        _begun.RemoveAll(one => one.Path == upload.Path && one.Key == upload.Key);
        _begun.Add(upload);
        Save();
    }

    public void Remove(BegunUpload upload)
    {
        _begun.RemoveAll(one => one.Id == upload.Id);
        Save();
    }

    // What is sent may be what fills the disk: it goes on without being written down.
    private void Save()
    {
        try
        {
            Write();
            _onDisk = Ids();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What was written before stays.
        }
    }

    private HashSet<string> Ids() => _begun.Select(one => one.Id).ToHashSet(StringComparer.Ordinal);

    private void Write()
    {
        if (_begun.Count == 0)
        {
            DurableFile.Delete(_file);
            return;
        }

        var text = new StringBuilder("bucket ").Append(_bucket).Append('\n');
        foreach (var one in _begun)
        {
            text.Append(CultureInfo.InvariantCulture, $"upload {Uri.EscapeDataString(one.Path)} {Uri.EscapeDataString(one.Key)} {one.Size} {one.Modified} {one.PartBytes} {Uri.EscapeDataString(one.Id)}");
            foreach (var part in one.Parts)
                text.Append(' ').Append(Uri.EscapeDataString(part.Tag)).Append(part.Md5 is null ? "" : ":" + part.Md5);
            text.Append('\n');
        }

        DurableFile.Write(_file, Encoding.ASCII.GetBytes(text.ToString()));
    }

    private static SentPart Part(string text) => text.Split(':') is [var tag, var md5] && Checksums.IsMd5(md5) ? new SentPart(Uri.UnescapeDataString(tag), md5) : new SentPart(Uri.UnescapeDataString(text), null);

    private void Read(IEnumerable<string> lines)
    {
        var ours = false;
        foreach (var line in lines)
        {
            switch (line.Split(' '))
            {
                case ["bucket", var bucket]:
                    ours = bucket == _bucket;
                    break;
                case ["upload", var path, var key, var size, var modified, var part, var id, .. var parts] when ours
                    && long.TryParse(size, CultureInfo.InvariantCulture, out var bytes) && long.TryParse(modified, CultureInfo.InvariantCulture, out var time)
                    && long.TryParse(part, CultureInfo.InvariantCulture, out var partBytes) && partBytes > 0:
                    _begun.Add(new BegunUpload(Uri.UnescapeDataString(path), Uri.UnescapeDataString(key), bytes, time, partBytes, Uri.UnescapeDataString(id), [.. parts.Select(Part)]));
                    break;
            }
        }
    }
}
