using System.Net;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.DataSync;

/// <summary>Brings one file into the bucket: in one piece, or in parts that survive whatever happens between them.</summary>
internal sealed partial class Upload(S3Client bucket, OpenFolder export, BegunUploads begun, ILogger logger)
{
    /// <summary>Below this a file goes in one piece.</summary>
    public const long InParts = 16 << 20;

    /// <summary>Null: it is gone, or went on changing, so that it has to be looked at again.</summary>
    public async Task<Synced?> SendAsync(Sending sending, CancellationToken cancellationToken)
    {
        if (export.TryRead(sending.File.Path) is not var (stream, file))
            return null;
        await using (stream)
        {
            var tag = file.Size < InParts
                ? await bucket.PutAsync(sending.Key, await Checksums.OfAsync(stream, 0, file.Size, cancellationToken), cancellationToken)
                : await PartsAsync(stream, file, sending.Key, cancellationToken);
            var after = OpenFolder.Now(stream);
            return after.Size == file.Size && after.Modified == file.Modified ? new Synced(file.Path, sending.Key, file.Size, file.Modified, tag) : null;
        }
    }

    /// <summary>Of an upload that nobody will finish nothing stays in the bucket. Best effort: some servers know no such request.</summary>
    public async Task AbortAsync(BegunUpload upload, CancellationToken cancellationToken)
    {
        try
        {
            await bucket.AbortUploadAsync(upload.Key, upload.Id, cancellationToken);
        }
        catch (S3Exception exception) when (!exception.IsAboutTheBucket || exception.Status == HttpStatusCode.NotImplemented)
        {
            LogNotAborted(logger, upload.Key, exception.Message);
        }

        begun.Remove(upload);
    }

    private async Task<string> PartsAsync(FileStream stream, LocalFile file, string key, CancellationToken cancellationToken)
    {
        var upload = begun.Find(file.Path, key);
        if (upload is not null && !upload.IsOf(file))
        {
            await AbortAsync(upload, cancellationToken);
            upload = null;
        }

        if (upload is not null)
            LogResumed(logger, key, upload.Parts.Count);
        var going = upload ?? await BeginAsync(file, key, cancellationToken);
        try
        {
            return await ContinueAsync(stream, file, going, cancellationToken);
        }
        catch (S3Exception exception) when (upload is not null && exception.Code == "NoSuchUpload")
        {
            // It was tidied up in the meantime.
            begun.Remove(upload);
            return await ContinueAsync(stream, file, await BeginAsync(file, key, cancellationToken), cancellationToken);
        }
        catch (Exception exception) when (exception is S3Exception or IOException && begun.WouldBeForgotten(going))
        {
            await AbortAsync(going, cancellationToken);
            throw;
        }
    }

    private async Task<BegunUpload> BeginAsync(LocalFile file, string key, CancellationToken cancellationToken)
    {
        var id = await bucket.BeginUploadAsync(key, cancellationToken);
        var upload = new BegunUpload(file.Path, key, file.Size, file.Modified, BegunUploads.PartBytesOf(file.Size), id, []);
        begun.Keep(upload);
        return upload;
    }

    private async Task<string> ContinueAsync(FileStream stream, LocalFile file, BegunUpload upload, CancellationToken cancellationToken)
    {
        for (var offset = upload.Parts.Count * upload.PartBytes; offset < file.Size; offset += upload.PartBytes)
        {
            var piece = await Checksums.OfAsync(stream, offset, Math.Min(upload.PartBytes, file.Size - offset), cancellationToken);
            if (!upload.IsOf(OpenFolder.Now(stream)))
            {
                await AbortAsync(upload, cancellationToken);
                throw new PieceChangedException();
            }

            var tag = await bucket.PutPartAsync(upload.Key, upload.Id, upload.Parts.Count + 1, piece, cancellationToken);
            upload = upload with { Parts = [.. upload.Parts, new SentPart(tag, piece.Md5)] };
            begun.Keep(upload);
        }

        var whole = await bucket.CompleteUploadAsync(upload.Key, upload.Id, [.. upload.Parts.Select(part => part.Tag)], cancellationToken);
        begun.Remove(upload);
        return upload.CanBe(whole) ? whole : throw new S3Exception("what the parts were joined to is not what was sent", HttpStatusCode.BadRequest, "BadDigest");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "going on with the upload of {Key} after {Parts} parts")]
    private static partial void LogResumed(ILogger logger, string key, int parts);

    [LoggerMessage(Level = LogLevel.Debug, Message = "the upload of {Key} is given up, and the server keeps its parts: {Problem}")]
    private static partial void LogNotAborted(ILogger logger, string key, string problem);
}
