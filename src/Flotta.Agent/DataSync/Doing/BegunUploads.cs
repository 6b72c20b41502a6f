using System.Globalization;
using System.Text;
using Flotta.Agent.Files;

namespace Flotta.Agent.DataSync;

/// <summary>An upload in parts that is under way.</summary>
/// <param name="Parts">The ETags of those that have arrived, the first one first.</param>
internal sealed record BegunUpload(string Path, string Key, long Size, long Modified, long PartBytes, string Id, IReadOnlyList<string> Parts)
{
    /// <summary>Still the same content, cut the same way.</summary>
    public bool IsOf(LocalFile file) => file.Size == Size && file.Modified == Modified;
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
    }

    public IReadOnlyList<BegunUpload> All => [.. _begun];

    /// <summary>8 MiB, more for files so large that there would be too many.</summary>
    public static long PartBytesOf(long size) => Math.Max(8 * Mebibyte, ((size / MostParts / Mebibyte) + 1) * Mebibyte);

    public BegunUpload? Find(string path, string key) => _begun.Find(one => one.Path == path && one.Key == key);

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

    private void Save()
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
                text.Append(' ').Append(Uri.EscapeDataString(part));
            text.Append('\n');
        }

        DurableFile.Write(_file, Encoding.ASCII.GetBytes(text.ToString()));
    }

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
                    _begun.Add(new BegunUpload(Uri.UnescapeDataString(path), Uri.UnescapeDataString(key), bytes, time, partBytes, Uri.UnescapeDataString(id), [.. parts.Select(Uri.UnescapeDataString)]));
                    break;
            }
        }
    }
}
