using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Access.Audit;

/// <summary>`audit.log`, and `audit.log.1` (newer) to `audit.log.N` (oldest): a full one is moved on, the oldest goes.</summary>
internal sealed class AuditFile(string path, long largest, int kept) : IDisposable
{
    private FileStream? stream;

    /// <summary>Whole lines, so that none is torn between two files.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        stream ??= Open();
        if (stream.Length > 0 && stream.Length + lines.Length > largest)
        {
            Rotate();
            stream = Open();
        }

        stream.Write(lines);
        // To the operating system, not to the disk: what is lost with the power are the last seconds.
        stream.Flush();
    }

    /// <summary>After a failure: begin anew.</summary>
    public void Close()
    {
        stream?.Dispose();
        stream = null;
    }

    public void Dispose() => Close();

    private void Rotate()
    {
        Close();
        for (var i = kept; i > 0; i--)
        {
            var from = i == 1 ? path : Numbered(i - 1);
            if (File.Exists(from))
                File.Move(from, Numbered(i), overwrite: true);
        }
    }

    private string Numbered(int number) => $"{path}.{number.ToString(System.Globalization.CultureInfo.InvariantCulture)}";

    private FileStream Open()
    {
        if (!File.Exists(path))
            return OwnerOnly.Create(path);
        var opened = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        // A line that a crash tore ends here, so that it spoils no other.
        if (opened.Length > 0 && !EndsALine(path))
            opened.WriteByte((byte)'\n');
        return opened;
    }

    private static bool EndsALine(string path)
    {
        using var reader = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        reader.Seek(-1, SeekOrigin.End);
        return reader.ReadByte() == '\n';
    }
}
